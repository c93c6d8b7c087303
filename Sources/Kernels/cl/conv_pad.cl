// Images with zeros around them, rows and columns sorted by their residues: pixel (y, x) of the padded image lies at
// ((y mod step_h)·step_w + x mod step_w)·part + (y div step_h)·part_w + x div step_w, so that positions a step apart are
// neighbours.
//
// One work-item per image of one channel; the last one clears what may be read after the images. Macros: NAME, REAL,
// WIDE (64-bit indices). Geometry: images; height; width; top; left; step_h; step_w; part_h; part_w; elements to clear.
#ifndef NAME
#define NAME conv_pad
#endif
#ifndef REAL
#define REAL float
#endif
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void NAME(global const REAL *x, long x0, global REAL *restrict y, long y0, global const INDEX *g, int g0) {
    g += g0;
    const INDEX height = g[1], width = g[2], top = g[3], left = g[4], step_h = g[5], step_w = g[6];
    const INDEX part_w = g[8], part = g[7] * part_w, plane = part * step_h * step_w;
    const INDEX image = (INDEX)get_global_id(0);
    y += y0 + (long)image * plane;
    if (image >= g[0]) {
        if (image == g[0])
            for (INDEX i = 0; i < g[9]; i++) y[i] = 0;
        return;
    }
    x += x0 + (long)image * height * width;
    for (INDEX i = 0; i < plane; i++) y[i] = 0;
    for (INDEX row = 0; row < height; row++, x += width) {
        const INDEX line = row + top;
        global REAL *to = y + line % step_h * step_w * part + line / step_h * part_w;
        if (step_w == 1) {
            for (INDEX column = 0; column < width; column++) to[left + column] = x[column];
            continue;
        }
        for (INDEX first = 0; first < step_w; first++) {
            global REAL *target = to + (first + left) % step_w * part + (first + left) / step_w;
            for (INDEX column = first; column < width; column += step_w) *target++ = x[column];
        }
    }
}

#undef INDEX
