# syntax=docker/dockerfile:1
# Builds an image that contains only the statically linked program.
#
#   docker buildx build --platform linux/amd64,linux/arm64 -t ghcr.io/sluicegate/sluicegate:0.1.0 --push .

# The compiler runs on the platform of the builder and cross-compiles for the target platform.
FROM --platform=$BUILDPLATFORM rust:1.95-bookworm AS build
ARG BUILDARCH
ARG TARGETARCH
RUN if [ "$TARGETARCH" != "$BUILDARCH" ]; then \
        apt-get update && apt-get install -y --no-install-recommends "crossbuild-essential-$TARGETARCH"; \
    fi
WORKDIR /src
COPY . .
# glibc instead of musl, because of its allocator: docs/performance.md was measured with it.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,id=target-$TARGETARCH \
    case "$TARGETARCH" in \
        amd64) arch=x86_64 ;; \
        arm64) arch=aarch64 ;; \
        *) echo "unsupported architecture $TARGETARCH; expected amd64 or arm64" >&2; exit 1 ;; \
    esac; \
    target=$arch-unknown-linux-gnu; \
    variable=$(echo "CARGO_TARGET_${target}_LINKER" | tr a-z- A-Z_); \
    rustup target add "$target" && \
    env "$variable=$arch-linux-gnu-gcc" RUSTFLAGS="-C target-feature=+crt-static" \
        cargo build --locked --release --features cli --bin sluicegate --target "$target" && \
    "$arch-linux-gnu-strip" -o /sluicegate "target/$target/release/sluicegate"

FROM scratch
LABEL org.opencontainers.image.title="sluicegate" \
      org.opencontainers.image.description="TCP routing with the Kubernetes Gateway API" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /sluicegate /sluicegate
USER 65532:65532
ENTRYPOINT ["/sluicegate"]
