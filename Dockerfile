# The operator's image: one static binary, the usual certificate authorities, nothing else.
#
#   docker build -t registry.example.com/backstay:0.1.0 .
#
# With a binary that is there already (`make image` does it, without a base image and without a daemon):
#
#   buildah bud --build-context build=target/image -t backstay .

FROM rust:1.95-bookworm AS build
# No library is looked for when it runs.
ENV RUSTFLAGS="-C target-feature=+crt-static"
# What it is made of goes into the binary, where scanners of images find it.
RUN cargo install --locked cargo-auditable@0.7.7
WORKDIR /src
# The dependencies in a layer of their own: it is built anew only when they change.
COPY Cargo.toml Cargo.lock ./
COPY tests/world/Cargo.toml tests/world/Cargo.toml
RUN mkdir -p src tests/world/src tests/bench \
    && echo 'fn main() {}' | tee src/main.rs tests/world/src/main.rs tests/bench/judge.rs > /dev/null \
    && touch src/lib.rs tests/world/src/lib.rs \
    && cargo auditable build --release --locked --bin backstay --target "$(uname -m)-unknown-linux-gnu"
COPY src src
RUN touch src/main.rs src/lib.rs \
    && cargo auditable build --release --locked --bin backstay --target "$(uname -m)-unknown-linux-gnu" \
    && mkdir -p /image/etc/ssl/certs \
    && cp "target/$(uname -m)-unknown-linux-gnu/release/backstay" /image/backstay \
    && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/

FROM scratch
COPY --from=build /image/ /
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/backstay"]
CMD ["run"]
