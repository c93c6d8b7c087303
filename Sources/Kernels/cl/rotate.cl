// Transpositions of blocks in registers, functions and no kernel.
//
// Macros: NAME, REAL.
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define OCTET JOIN(REAL, 8)

// The pairs of the first and of the second halves.
#define PAIRS(to, a, b, half) to.even = a.half, to.odd = b.half

// Moves the number of the line from the front of every element's place to its end: LINES = 2^n lines of eight terms
// become terms of LINES lines, one after the other.
#define ROTATION(LINES) \
    static inline void JOIN(NAME, _rotate##LINES)(OCTET *v) { \
        _Pragma("unroll") for (int round = LINES; round > 1; round /= 2) { \
            OCTET to[LINES]; \
            _Pragma("unroll") for (int i = 0; i < LINES / 2; i++) { \
                PAIRS(to[2 * i], v[i], v[i + LINES / 2], lo); \
                PAIRS(to[2 * i + 1], v[i], v[i + LINES / 2], hi); \
            } \
            _Pragma("unroll") for (int i = 0; i < LINES; i++) v[i] = to[i]; \
        } \
    }
ROTATION(4)
ROTATION(8)

#undef ROTATION
#undef PAIRS
#undef OCTET
#undef JOIN
#undef JOIN_
