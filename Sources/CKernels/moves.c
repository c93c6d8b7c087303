// Kernels that only move elements: padding, gathering, scattering.
#include "include/CKernels.h"

#include <string.h>

#define REAL float
#define SUFFIX _f32
#include "moves.inc"
#undef REAL
#undef SUFFIX

#define REAL double
#define SUFFIX _f64
#include "moves.inc"
