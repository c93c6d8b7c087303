// Patches of an image as a matrix, and back: the memory side of convolution.
#include "include/CKernels.h"

#include <string.h>

#define REAL float
#define SUFFIX _f32
#include "patches.inc"
#undef REAL
#undef SUFFIX

#define REAL double
#define SUFFIX _f64
#include "patches.inc"
