# What .ci/run needs, and the package with training; `docker run IMAGE` runs the main job, `docker run IMAGE make test` the suite.
FROM python:3.11-slim-bookworm
RUN apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        make gcc libc6-dev git gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc cppcheck \
        chromium chromium-driver postgresql \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN make .venv/.installed
CMD ["make", "search"]
