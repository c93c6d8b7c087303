// The micro-kernel of products and convolutions on processors, a function and no kernel: one tile of ROWS rows
// by VECTORS vectors of V columns,
//
//   c[i·c_row + (place[j] + lane)·c_column] = Σ_k a[k·ROWS + i] · b[term(k) + at[j] + lane],
//
// added to what is there if `adds` is not 0. a is packed. Terms of b are PANELS·V elements apart, or, with TABLE,
// lie where a table says: so b may be a packed panel, or an image as it is. Only `rows` rows and the first
// lanes[j] lanes of each vector are written. The text is read once for each number of vectors, 1 to PANELS.
//
// Macros: NAME, REAL, WIDE (64-bit indices), ROWS, PANELS, V, VECTORS, TABLE, WHOLE (all vectors are written whole).
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define VECTOR JOIN(REAL, V)
#define LOAD(p) JOIN(vload, V)(0, p)
#define STORE(v, p) JOIN(vstore, V)(v, 0, p)
#ifdef WHOLE
#define IS_WHOLE(j) 1
#else
#define IS_WHOLE(j) (lanes[j] == V && c_column == 1)
#endif
#pragma OPENCL FP_CONTRACT ON

static APART void JOIN(JOIN(NAME, _tile), VECTORS)(
    const INDEX terms, global const REAL *a, global const REAL *b,
#ifdef TABLE
    global const INDEX *term,
#endif
    const INDEX *at, global REAL *c, const long c_row, const INDEX c_column, const INDEX *place, const int *lanes,
    const int rows, const int adds) {
    VECTOR sum[ROWS][VECTORS];
#pragma unroll
    for (int i = 0; i < ROWS; i++)
#pragma unroll
        for (int j = 0; j < VECTORS; j++) sum[i][j] = (VECTOR)(0);
    global const REAL *columns[VECTORS];
#pragma unroll
    for (int j = 0; j < VECTORS; j++) columns[j] = b + at[j];

    for (INDEX k = 0; k < terms; k++, a += ROWS) {
        VECTOR right[VECTORS];
#pragma unroll
        for (int j = 0; j < VECTORS; j++)
#ifdef TABLE
            right[j] = LOAD(columns[j] + term[k]);
#else
            right[j] = LOAD(columns[j] + (long)k * (PANELS * V));
#endif
#pragma unroll
        for (int i = 0; i < ROWS; i++) {
            const VECTOR left = (VECTOR)(a[i]);
#pragma unroll
            for (int j = 0; j < VECTORS; j++) sum[i][j] += left * right[j];
        }
    }

#pragma unroll
    for (int j = 0; j < VECTORS; j++) {
        global REAL *to = c + (long)place[j] * c_column;
        if (IS_WHOLE(j)) {
#pragma unroll
            for (int i = 0; i < ROWS; i++)
                if (i < rows) {
                    if (adds) sum[i][j] += LOAD(to + i * c_row);
                    STORE(sum[i][j], to + i * c_row);
                }
        } else {
            REAL values[ROWS][V];
#pragma unroll
            for (int i = 0; i < ROWS; i++) STORE(sum[i][j], values[i]);
            for (int i = 0; i < rows; i++)
                for (int lane = 0; lane < lanes[j]; lane++) {
                    global REAL *element = to + i * c_row + (long)lane * c_column;
                    *element = adds ? *element + values[i][lane] : values[i][lane];
                }
        }
    }
}

#undef IS_WHOLE
#undef STORE
#undef LOAD
#undef VECTOR
#undef JOIN
#undef JOIN_
#undef INDEX
