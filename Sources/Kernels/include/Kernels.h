// OpenCL C texts, embedded from the files in `cl`.
#pragma once

// The text of `cl/NAME.cl`, or NULL if there is no such file.
const char *ls_kernel_text(const char *name);
