/// Kernels of one pair of samples at one place in a network of infinite width: between all values of one channel.
struct Covariance {
    /// Which pairs of pixels are there.
    enum Places: Sendable, Equatable {
        /// One value for each channel.
        case flat
        /// Every pixel with the same pixel of the other sample: index `p`.
        case pixels(height: Int, width: Int)
        /// Every pixel with every other: index `p·(H·W) + q`.
        case pixelPairs(height: Int, width: Int)

        var count: Int {
            switch self {
            case .flat: 1
            case .pixels(let height, let width): height * width
            case .pixelPairs(let height, let width): height * width * height * width
            }
        }

        /// Where a pixel meets the same pixel.
        var diagonal: StrideTo<Int> {
            switch self {
            case .flat, .pixels: stride(from: 0, to: count, by: 1)
            case .pixelPairs(let height, let width): stride(from: 0, to: count, by: height * width + 1)
            }
        }
    }

    var places: Places
    /// Covariance of pre-activations, or second moments of activations (NNGP).
    var nngp: [Double]
    /// The tangent kernel of everything so far.
    var ntk: [Double]

    /// Both kernels, elementwise.
    mutating func update(_ change: (_ place: Int, _ nngp: Double, _ ntk: Double) -> (Double, Double)) {
        for i in nngp.indices { (nngp[i], ntk[i]) = change(i, nngp[i], ntk[i]) }
    }

    /// The NNGP kernel of every pixel with itself.
    var diagonal: [Double] { places.diagonal.map { nngp[$0] } }

    /// The mean over pixels of the kernel of a pixel with the same pixel.
    func flattened() -> Covariance { mean(Array(places.diagonal)) }

    /// The mean over all pairs of pixels.
    func pooled() -> Covariance { mean(Array(0..<places.count)) }

    private func mean(_ chosen: [Int]) -> Covariance {
        func mean(_ values: [Double]) -> [Double] {
            [chosen.reduce(0) { $0 + values[$1] } / Double(max(1, chosen.count))]
        }
        return Covariance(places: .flat, nngp: mean(nngp), ntk: mean(ntk))
    }
}
