import Foundation

/// Eigenvalues of a symmetric tridiagonal matrix, ascending, with the first and the last component of each unit
/// eigenvector, in O(m²) steps: implicit QL that carries two rows instead of all (Golub and Welsch 1969).
///
/// `offDiagonal` has one element less than `diagonal`.
func tridiagonalRule(
    diagonal: [Double], offDiagonal: [Double]
) -> (nodes: [Double], first: [Double], last: [Double]) {
    let n = diagonal.count
    precondition(offDiagonal.count == max(0, n - 1), "\(offDiagonal.count) couplings of \(n) rows")
    if n == 0 { return ([], [], []) }
    var d = diagonal, e = offDiagonal + [0]
    var first = [Double](repeating: 0, count: n), last = first
    (first[0], last[n - 1]) = (1, 1)
    for l in 0..<n {
        for _ in 0..<(30 * n) {
            // The first coupling that is rounding noise ends the block that begins at l.
            var m = l
            while m < n - 1, abs(e[m]) > Double.ulpOfOne / 2 * (abs(d[m]) + abs(d[m + 1])) { m += 1 }
            if m == l { break }
            rotate(l, m, &d, &e, &first, &last)
        }
    }
    let order = (0..<n).sorted { d[$0] < d[$1] }
    return (order.map { d[$0] }, order.map { first[$0] }, order.map { last[$0] })
}

/// One QL sweep with Wilkinson's shift over rows `l...m`.
private func rotate(
    _ l: Int, _ m: Int, _ d: inout [Double], _ e: inout [Double], _ first: inout [Double],
    _ last: inout [Double]
) {
    let half = (d[l + 1] - d[l]) / (2 * e[l])
    let root = hypot(half, 1)
    var g = d[m] - d[l] + e[l] / (half + (half >= 0 ? root : -root))
    var (s, c, p) = (1.0, 1.0, 0.0)
    for i in stride(from: m - 1, through: l, by: -1) {
        let (f, b) = (s * e[i], c * e[i])
        let r = hypot(f, g)
        e[i + 1] = r
        if r == 0 {
            d[i + 1] -= p
            e[m] = 0
            return
        }
        (s, c) = (f / r, g / r)
        g = d[i + 1] - p
        let q = (d[i] - g) * s + 2 * c * b
        p = s * q
        d[i + 1] = g + p
        g = c * q - b
        (first[i], first[i + 1]) = (c * first[i] - s * first[i + 1], s * first[i] + c * first[i + 1])
        (last[i], last[i + 1]) = (c * last[i] - s * last[i + 1], s * last[i] + c * last[i + 1])
    }
    d[l] -= p
    e[l] = g
    e[m] = 0
}
