FROM rust:1-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked \
    && install -D target/release/partner-incentives /out/partner-incentives \
    && install -d -o 10001 -g 10001 /out/data

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="Partner Incentives" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/partner-incentives /usr/local/bin/partner-incentives
# Whom to trust where mails are taken.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
# A new volume takes over the owner, so that the database can be written.
COPY --from=build --chown=10001:10001 /out/data /data
USER 10001:10001
WORKDIR /data
ENV DATABASE_URL=sqlite:///data/partner-incentives.db \
    LISTEN=0.0.0.0:8080 \
    LOG_FORMAT=json
VOLUME ["/data"]
EXPOSE 8080
STOPSIGNAL SIGTERM
# It asks the service on LISTEN's port whether it is ready.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["/usr/local/bin/partner-incentives", "health"]
ENTRYPOINT ["/usr/local/bin/partner-incentives"]
CMD ["serve"]
