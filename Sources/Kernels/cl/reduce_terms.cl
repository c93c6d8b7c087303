// What reductions share, functions and no kernel: the terms of a chain of strided operands, and how they are joined.
//
// p holds a pointer for every operand. TERM(p) is the term at p, TERMS(p, i) are V terms from the i-th neighbour on; terms
// are the elements of one operand unless a chain says otherwise. An axis is its extent, followed by every operand's
// stride along it.
//
// Macros: NAME, REAL, WIDE (64-bit indices), V (lanes, if there are vectors), MAXIMUM (else sum), and a chain's LOADS
// (operands), OPERANDS, CONSTANTS, STARTS, TERM and TERMS.
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define FN(name) JOIN(NAME, name)
#define VECTOR JOIN(REAL, V)
#define LOAD(p) JOIN(vload, V)(0, p)
#define STORE(v, p) JOIN(vstore, V)(v, 0, p)
#ifndef LOADS
#define LOADS 1
#define OPERANDS global const REAL *x, long x0
#define CONSTANTS
#define STARTS x + x0
#define TERM(p) (*p[0])
#define TERMS(p, i) LOAD(p[0] + (i))
#endif
#define AXIS (1 + LOADS)
#pragma OPENCL FP_CONTRACT OFF

// PLUS joins two values, ADD one to a total; both are for scalars and vectors, and read their arguments repeatedly.
#ifdef MAXIMUM
#define EMPTY (-INFINITY)
#define PLUS(a, b) ((((b) > (a)) | ((b) != (b))) ? (b) : (a))  // a NaN stays
#define ADD(TYPE, total, lost, value) total = PLUS(total, value)
#else
#define EMPTY 0
#define PLUS(a, b) ((a) + (b))
// What rounding loses is summed apart.
#define ADD(TYPE, total, lost, value)                              \
    {                                                              \
        const TYPE next = total + (value), added = next - total;   \
        lost += (total - (next - added)) + ((value) - added);      \
        total = next;                                              \
    }
#endif

#ifdef V
// All lanes of a vector joined in pairs.
static inline REAL FN(_lanes)(const VECTOR *v) {
    REAL lanes[V];
    STORE(*v, lanes);
#pragma unroll
    for (int pairs = V / 2; pairs > 0; pairs /= 2)
#pragma unroll
        for (int i = 0; i < pairs; i++) lanes[i] = PLUS(lanes[i], lanes[i + pairs]);
    return lanes[0];
}
#endif

// Moves all pointers by n elements of an axis.
static inline void FN(_move)(global const REAL **p, const INDEX n, global const INDEX *axis) {
#pragma unroll
    for (int l = 0; l < LOADS; l++) p[l] += n * (long)axis[1 + l];
}

// Moves all pointers to element `rest` of some axes.
static inline void FN(_place)(global const REAL **p, INDEX rest, global const INDEX *axes, const INDEX rank) {
    for (INDEX i = rank - 1; i >= 0; i--) {
        global const INDEX *axis = axes + i * AXIS;
        const INDEX outer = rest / axis[0];
        FN(_move)(p, rest - outer * axis[0], axis);
        rest = outer;
    }
}
