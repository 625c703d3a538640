#!/usr/bin/env python3
"""Licences and sources of every dependency, checked against .deny.toml; standard library only, no network.

`cargo deny check licenses sources` says the same and more, and takes minutes to install."""
import json, re, subprocess, sys, tomllib

ALLOWED = set(tomllib.load(open(".deny.toml", "rb"))["licenses"]["allow"])


def allowed(expression):
    """Whether an SPDX expression can be met with the allowed licences alone."""
    tokens = re.findall(r"[()]|[\w.+-]+(?: WITH [\w.+-]+)?", expression.replace("/", " OR "))
    logic = {"(": "(", ")": ")", "OR": " or ", "AND": " and "}
    return eval("".join(logic.get(token) or str(token in ALLOWED) for token in tokens))


command = ["cargo", "metadata", "--format-version", "1", "--locked", "--all-features"]
packages = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["packages"]
faults = []
for package in packages:
    name = f"{package['name']} {package['version']}"
    if package["source"] is None:
        continue  # this crate itself
    if not package["source"].startswith("registry+"):
        faults.append(f"{name} comes from {package['source']}")
    if not package["license"] or not allowed(package["license"]):
        faults.append(f"{name} is under {package['license']}")
print(*faults, f"{len(packages)} packages, {len(faults)} faults", sep="\n")
sys.exit(bool(faults))
