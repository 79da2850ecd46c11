# SPDX-License-Identifier: Apache-2.0

# Packs a static binary that `make image-binary` has built; `make image` does both.
#
# Nothing is compiled in here: the Go that built the framework builds this binary for any
# platform, without a base image to pull, an emulator, or a second set of build flags and
# caches. So the image builds offline and with any builder, and a test builds this very file.
# The price is that a bare `docker build .` on a fresh clone does not find the binary.
FROM scratch

ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
ARG REVISION=unknown

LABEL org.opencontainers.image.title="flunder-controller" \
      org.opencontainers.image.description="Lanyard's sample controller: reconciles Flunders" \
      org.opencontainers.image.source="https://github.com/lanyard-k8s/lanyard" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# The binary is all there is: no shell, no package manager, and no CA certificates, since it
# talks to the API server alone, whose CA comes with the service account. Owned by root, so
# the user that runs it cannot replace it.
COPY bin/${TARGETOS}-${TARGETARCH}/flunder-controller /flunder-controller

# Numeric, or the kubelet could not tell that it is not root.
USER 65532:65532

ENTRYPOINT ["/flunder-controller"]
