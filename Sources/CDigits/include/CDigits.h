// The handwritten digits that ship inside the program; the layout is in README.md.
#pragma once
#include <stddef.h>

/// The first byte of the embedded records; writes their total size in bytes to `count`.
const unsigned char *digits_bytes(size_t *count);
