// Fused elementwise chains: each instruction runs over a block of values that stays in the first-level cache.
#include "include/CKernels.h"

#include <math.h>
#include <string.h>

static const char *const function_names[] = {
#define LS_NAME(name) #name,
    LS_FUNCTIONS(LS_NAME)
#undef LS_NAME
};

int32_t ls_function_code(const char *name) {
    for (size_t i = 0; i < sizeof function_names / sizeof *function_names; i++)
        if (strcmp(name, function_names[i]) == 0) return LS_OP_FUNCTION + (int32_t)i;
    return -1;
}

enum {
#define LS_CODE(name) CODE_##name,
    FIRST_CODE = LS_OP_FUNCTION - 1, LS_FUNCTIONS(LS_CODE)
#undef LS_CODE
};

#define REAL float
#define SUFFIX _f32
#define FN(name) name##f
#include "elementwise.inc"
#undef REAL
#undef SUFFIX
#undef FN

#define REAL double
#define SUFFIX _f64
#define FN(name) name
#include "elementwise.inc"
