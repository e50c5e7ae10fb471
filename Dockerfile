# surmise in a small image:
#
#     docker build -t surmise .
#     docker run --rm -v "$PWD:/work" surmise measure minigpt-6 --corpus countries -o profiles
#
# Results belong to user 1000, or to the user of `--user "$(id -u):$(id -g)"`. A server needs an address that
# other machines reach, and a key:
#
#     docker run --rm -e KEY -p 8000:8000 surmise serve minigpt-6 \
#         --host 0.0.0.0 --port 8000 --key-variable KEY
FROM rust:1.89-slim-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY Cargo.toml Cargo.lock build.rs README.md LICENSE-APACHE LICENSE-MIT ./
COPY src src
COPY data data
COPY calibration calibration
# Cargo.toml names the benches, which must be there.
COPY benches benches
RUN cargo build --release --locked --bin surmise && strip target/release/surmise

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --create-home surmise \
    && install --directory --owner=surmise /work
COPY --from=build /source/target/release/surmise /usr/local/bin/surmise
COPY --from=build /source/LICENSE-APACHE /source/LICENSE-MIT /usr/share/doc/surmise/
USER surmise
WORKDIR /work
ENTRYPOINT ["surmise"]
CMD ["--help"]
