// Partial filter gradients: sums[piece, filter, u, (v, channel)] = Σ over the piece's images and all positions of
// cotangent·image, from cotangents in panels of ROWS filters (`pack_panels`) and images with their channels last
// (`conv_channels_last`), in which neighbouring v and channels lie side by side.
//
// Every image is summed on its own and then added. Work-items (tile of PANELS vectors, tile of ROWS filters,
// piece·groups + group). Macros: NAME, REAL, WIDE (64-bit indices), ROWS, PANELS, V. Geometry: filters; kernel height; run
// of one kernel row; distance between kernel rows in an image; positions; images; images of one piece; groups; elements
// between images of the panels and of the channels-last images; elements of all filters; then the element of every
// position.
#ifndef NAME
#define NAME conv_sums
#endif
#ifndef REAL
#define REAL float
#endif
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif
#ifndef ROWS
#define ROWS 8
#endif
#ifndef PANELS
#define PANELS 3
#endif
#ifndef V
#define V 16
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define VECTOR JOIN(REAL, V)
#define LOAD(p) JOIN(vload, V)(0, p)
#define STORE(v, p) JOIN(vstore, V)(v, 0, p)
#pragma OPENCL FP_CONTRACT ON

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void NAME(global const REAL *restrict d, long d0, global const REAL *restrict x, long x0, global REAL *restrict y,
          long y0, global const INDEX *g, int g0) {
    g += g0;
    const INDEX filters = g[0], run = g[2], across = (run + V - 1) / V, vectors = g[1] * across, positions = g[4];
    const INDEX v = (INDEX)get_global_id(0) * PANELS, filter = (INDEX)get_global_id(1) * ROWS;
    const INDEX z = (INDEX)get_global_id(2), groups = g[7], piece = z / groups, group = z - piece * groups;
    if (v >= vectors || filter >= filters) return;
    global const INDEX *off = g + 11;
    const INDEX begin = piece * g[6], end = begin + g[6] < g[5] ? begin + g[6] : g[5];
    INDEX at[PANELS];
    VECTOR total[ROWS][PANELS];
#pragma unroll
    for (int q = 0; q < PANELS; q++) {
        const INDEX vector = v + q < vectors ? v + q : vectors - 1;
        at[q] = vector / across * g[3] + vector % across * V;
#pragma unroll
        for (int i = 0; i < ROWS; i++) total[i][q] = (VECTOR)(0);
    }
    for (INDEX image = begin; image < end; image++) {
        global const REAL *dp = d + d0 + ((long)image * groups + group) * g[8] + (long)filter * positions;
        global const REAL *xp = x + x0 + ((long)image * groups + group) * g[9];
        VECTOR sum[ROWS][PANELS];
#pragma unroll
        for (int i = 0; i < ROWS; i++)
#pragma unroll
            for (int q = 0; q < PANELS; q++) sum[i][q] = (VECTOR)(0);
        for (INDEX p = 0; p < positions; p++) {
            global const REAL *from = xp + off[p];
            VECTOR right[PANELS];
#pragma unroll
            for (int q = 0; q < PANELS; q++) right[q] = LOAD(from + at[q]);
#pragma unroll
            for (int i = 0; i < ROWS; i++) {
                const VECTOR left = (VECTOR)(dp[i]);
#pragma unroll
                for (int q = 0; q < PANELS; q++) sum[i][q] += left * right[q];
            }
            dp += ROWS;
        }
#pragma unroll
        for (int i = 0; i < ROWS; i++)
#pragma unroll
            for (int q = 0; q < PANELS; q++) total[i][q] += sum[i][q];
    }
    y += y0 + (long)piece * g[10] + ((long)group * filters + filter) * g[1] * run;
    const INDEX count = filters - filter < ROWS ? filters - filter : ROWS;
#pragma unroll
    for (int q = 0; q < PANELS; q++) {
        if (v + q >= vectors) continue;
        const INDEX u = (v + q) / across, first = (v + q) % across * V, lanes = run - first < V ? run - first : V;
        REAL spilled[ROWS * V];
#pragma unroll
        for (int i = 0; i < ROWS; i++) STORE(total[i][q], spilled + i * V);
        for (INDEX i = 0; i < count; i++)
            for (INDEX lane = 0; lane < lanes; lane++)
                y[((long)i * g[1] + u) * run + first + lane] = spilled[i * V + lane];
    }
}

#undef STORE
#undef LOAD
#undef VECTOR
#undef JOIN
#undef JOIN_
#undef INDEX
