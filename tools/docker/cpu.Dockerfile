# SPDX-License-Identifier: Apache-2.0
# An image for the CPU. From a fresh clone: docker build -f tools/docker/cpu.Dockerfile -t tessera .
FROM swift:6.3-bookworm AS build
COPY . /src
RUN /src/tools/bundle /tessera.tar.gz \
 && mkdir /bundle && tar -xzf /tessera.tar.gz -C /bundle --strip-components=1

FROM debian:bookworm-slim
COPY --from=build /bundle /usr/local/lib/tessera
ENV PATH=/usr/local/lib/tessera:$PATH XDG_CACHE_HOME=/cache
VOLUME /cache
ENTRYPOINT ["tessera"]
