// Results of a convolution at a grid of positions, from padded images (`conv_pad`) and filters in panels
// (`conv_filters`): y[line, position] = Σ_k filter[line, k]·x[off[k] + position].
//
// Vectors of V positions are read from the padded image as they are: along rows of the grid where its width is a
// multiple of V, else along all of the padded rows, and lanes outside the grid are not written. One work-item computes
// tiles of ROWS lines by PANELS vectors, for all lines and a share of the vectors of one image. Work-items (share,
// image·groups + group). Macros: NAME, REAL, WIDE (64-bit indices), ROWS, PANELS, V, FINISH. Geometry: lines; terms; elements of
// one image's padded group; elements of one group's filters; number of groups; grid height and width; padded width; rows
// are whole vectors (0 or 1); vectors; vectors of one share; elements of one image's result of one group; distance
// between lines; first element; distances between rows and columns; then the element of every term.
#ifndef NAME
#define NAME conv_tiles
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
// What becomes of a run of results; see `OpenCLEpilogue`.
#ifndef FINISH
#define FINISH_OPERANDS
#define FINISH_CONSTANTS
#define FINISH(y, first, count)
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define VECTOR JOIN(REAL, V)
#define LOAD(p) JOIN(vload, V)(0, p)
#define STORE(v, p) JOIN(vstore, V)(v, 0, p)
#pragma OPENCL FP_CONTRACT ON

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void NAME(global const REAL *restrict x, long x0, global const REAL *restrict w, long w0, global REAL *restrict y,
          long y0 FINISH_OPERANDS, global const INDEX *g, int g0 FINISH_CONSTANTS) {
    g += g0;
    const INDEX lines = g[0], terms = g[1], grid_h = g[5], grid_w = g[6], part_w = g[7], rows_are_whole = g[8];
    const INDEX by_row = g[14], by_column = g[15];
    const long line_step = g[12];
    global const INDEX *off = g + 16;
    const INDEX image = (INDEX)get_global_id(1), group = image % g[4];
    const INDEX begin = (INDEX)get_global_id(0) * g[10], end = begin + g[10] < g[9] ? begin + g[10] : g[9];
    x += x0 + (long)image * g[2];
    w += w0 + (long)group * g[3];
    y += y0;
    const long first = (long)image * g[11] + g[13];
    const INDEX across = grid_w / V;
    for (INDEX v = begin; v < end; v += PANELS) {
        // A vector past the last one repeats it and is not written.
        INDEX rows[PANELS], columns[PANELS];
        global const REAL *from[PANELS];
#pragma unroll
        for (int q = 0; q < PANELS; q++) {
            const INDEX vector = v + q < end ? v + q : end - 1;
            rows[q] = rows_are_whole ? vector / across : vector * V / part_w;
            columns[q] = rows_are_whole ? vector % across * V : vector * V % part_w;
            from[q] = x + rows[q] * part_w + columns[q];
        }
        for (INDEX line = 0; line < lines; line += ROWS) {
            global const REAL *ap = w + (long)line * terms;
            VECTOR sum[ROWS][PANELS];
#pragma unroll
            for (int i = 0; i < ROWS; i++)
#pragma unroll
                for (int q = 0; q < PANELS; q++) sum[i][q] = (VECTOR)(0);
            for (INDEX k = 0; k < terms; k++) {
                const INDEX o = off[k];
                VECTOR right[PANELS];
#pragma unroll
                for (int q = 0; q < PANELS; q++) right[q] = LOAD(from[q] + o);
#pragma unroll
                for (int i = 0; i < ROWS; i++) {
                    const VECTOR left = (VECTOR)(ap[i]);
#pragma unroll
                    for (int q = 0; q < PANELS; q++) sum[i][q] += left * right[q];
                }
                ap += ROWS;
            }
            const INDEX count = lines - line < ROWS ? lines - line : ROWS;
            global REAL *to = y + first + line * line_step;
#pragma unroll
            for (int q = 0; q < PANELS; q++) {
                if (v + q >= end) continue;
                if (rows_are_whole && by_column == 1 && count == ROWS) {
#pragma unroll
                    for (int i = 0; i < ROWS; i++)
                        STORE(sum[i][q], to + i * line_step + rows[q] * by_row + columns[q]);
                    continue;
                }
                REAL lanes[ROWS * V];
#pragma unroll
                for (int i = 0; i < ROWS; i++) STORE(sum[i][q], lanes + i * V);
                INDEX row = rows[q], column = columns[q];
                for (int lane = 0; lane < V; lane++) {
                    if (row < grid_h && column < grid_w)
                        for (INDEX i = 0; i < count; i++)
                            to[i * line_step + row * by_row + column * by_column] = lanes[i * V + lane];
                    if (++column == part_w) {
                        column = 0;
                        row++;
                    }
                }
            }
        }
    }
    // Where rows of results follow each other, those of a share are a run of every line.
    INDEX ends[2] = {begin * V, end * V};
    for (int i = 0; i < 2; i++) {
        if (!rows_are_whole) {
            const INDEX row = ends[i] / part_w, column = ends[i] - row * part_w;
            ends[i] = row * grid_w + (column < grid_w ? column : grid_w);
        }
        ends[i] = ends[i] < grid_h * grid_w ? ends[i] : grid_h * grid_w;
    }
    for (INDEX line = 0; line < lines; line++)
        FINISH(y, (INDEX)(first + line * line_step) + ends[0], ends[1] - ends[0]);
}

#undef FINISH
#undef FINISH_CONSTANTS
#undef FINISH_OPERANDS
#undef STORE
#undef LOAD
#undef VECTOR
#undef JOIN
#undef JOIN_
#undef INDEX
