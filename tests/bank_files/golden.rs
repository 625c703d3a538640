//! Files as they are, byte by byte.

use super::{
    samples::{File, dinar, dollar, euro, yen},
    schema::assert_valid,
};

/// The file as the folder `golden` keeps it. `UPDATE_GOLDEN=1` writes it anew; then look at the difference.
#[track_caller]
fn assert_golden(name: &str, made: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bank_files/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == made, "{name} is not as it was:\n{made}");
}

fn files() -> [(&'static str, File); 4] {
    [("euro", euro()), ("yen", yen()), ("dinar", dinar()), ("dollar", dollar())]
}

#[test]
fn files_are_as_they_were() {
    for (name, file) in files() {
        assert_golden(&format!("{name}.xml"), &file.xml());
        assert_golden(&format!("{name}.csv"), &file.table());
    }
}

#[test]
fn files_are_valid() {
    let files = files().map(|(_, file)| file.xml());
    let [euro, yen, dinar, dollar] = files.each_ref().map(String::as_str);
    assert_valid("pain.001.001.09", &[euro, yen, dinar, dollar]);
    // What banks of Germany ask for beside; it knows payments inside SEPA alone.
    assert_valid("pain.001.001.09_GBIC_5", &[euro]);
}

#[test]
fn a_file_begins_as_banks_read_it() {
    for (_, file) in files() {
        let text = file.xml();
        assert!(
            text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:"),
            "{text}"
        );
        assert!(text.ends_with("</Document>\n"));
        assert!(text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)));
    }
}

#[test]
fn a_file_is_the_same_each_time() {
    for (_, file) in files() {
        assert_eq!(file.xml(), file.clone().xml());
        assert_eq!(file.table(), file.clone().table());
    }
}

#[test]
fn several_groups_stand_in_one_file_with_the_sum_of_all() {
    let groups = [euro(), yen(), dinar(), dollar()].into_iter().flat_map(|file| file.groups).collect();
    let text = File::of(groups).xml();
    assert_valid("pain.001.001.09", &[&text]);
    assert_eq!(text.matches("<PmtInf>").count(), 4);
    // 1000001234.50 + 1250000 + 250.075 + 5000.50, whatever the currencies.
    assert!(text.contains("<NbOfTxs>10</NbOfTxs>\n      <CtrlSum>1001256485.075</CtrlSum>"), "{text}");
    for (sum, count) in [("1000001234.50", 3), ("1250000", 1), ("250.075", 1), ("5000.50", 5)] {
        assert!(
            text.contains(&format!("<NbOfTxs>{count}</NbOfTxs>\n      <CtrlSum>{sum}</CtrlSum>")),
            "{sum}"
        );
    }
}
