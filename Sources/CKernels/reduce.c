// Sums and maxima over strided axes, one result after the other, in a fixed order.
#include "include/CKernels.h"

#include <math.h>

#define REAL float
#define WIDE double
#define SUFFIX _f32
#include "reduce.inc"
#undef REAL
#undef WIDE
#undef SUFFIX

#define REAL double
#define WIDE double
#define COMPENSATED
#define SUFFIX _f64
#include "reduce.inc"
