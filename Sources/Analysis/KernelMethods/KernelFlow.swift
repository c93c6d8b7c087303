/// Gradient flow and gradient descent of a linearised model in closed form, mode by mode of its kernel
/// (Lee et al. 2019, equations 8 to 11).
///
/// With `mse = 1/(2N) Σ‖f(xₙ) − yₙ‖²` the residual of mode i decays with the time constant `N/λᵢ`, and
/// `f(x) = f₀(x) + K(x, X)·α` with dual coefficients `α = Σ uᵢ·gain(λᵢ)·uᵢᵀ(Y − f₀)`. No matrix is inverted, so singular
/// kernels are no exception.
public struct KernelFlow: Sendable {
    /// Eigenvalues and eigenvectors of the training kernel.
    public let spectrum: KernelSpectrum
    /// Samples N, of which the loss is the mean.
    public let samples: Int
    /// Columns of the system.
    public let columns: Int
    /// `uᵢᵀ(Y − f₀)`: initial coefficients `[n, columns]`, largest eigenvalue first.
    public let coefficients: [Double]

    /// The flow from an initial residual `Y − f₀`, `[n, columns]`.
    public init(_ spectrum: KernelSpectrum, residual: [Double], columns: Int, samples: Int) {
        precondition(residual.count == spectrum.size * columns, "\(residual.count) residuals")
        (self.spectrum, self.columns, self.samples) = (spectrum, columns, samples)
        coefficients = spectrum.coefficients(of: residual, columns: columns)
    }

    /// `N/λᵢ`, in units of time; infinite for null modes.
    public var timeConstants: [Double] {
        spectrum.values.indices.map {
            $0 < spectrum.rank ? Double(samples) / spectrum.values[$0] : .infinity
        }
    }

    /// Dual coefficients α `[n, columns]`.
    public func dual(_ filter: SpectralFilter) -> [Double] {
        combined { $0 < spectrum.rank ? filter.gain(spectrum.values[$0], samples: samples) : 0 }
    }

    /// `f − f₀` on the training samples, `[n, columns]`: `K·α` without a product with K.
    public func change(_ filter: SpectralFilter) -> [Double] { combined { 1 - decay($0, filter) } }

    /// The loss of every mode, `cᵢ²/(2N)·decay²` summed over columns, `[n]`.
    public func modeLosses(_ filter: SpectralFilter) -> [Double] {
        spectrum.values.indices.map { index in
            let left = decay(index, filter)
            return squares(index) * left * left / (2 * Double(samples))
        }
    }

    /// The training loss: the sum of all modes' losses, null ones too.
    public func loss(_ filter: SpectralFilter) -> Double { modeLosses(filter).reduce(0, +) }

    /// The loss of the null modes: what no time lowers.
    public var lossOutsideSpan: Double {
        (spectrum.rank..<spectrum.size).reduce(0) { $0 + squares($1) } / (2 * Double(samples))
    }

    private func decay(_ index: Int, _ filter: SpectralFilter) -> Double {
        index < spectrum.rank ? filter.decay(spectrum.values[index], samples: samples) : 1
    }

    private func squares(_ index: Int) -> Double {
        coefficients[index * columns..<(index + 1) * columns].reduce(0) { $0 + $1 * $1 }
    }

    private func combined(_ factor: (Int) -> Double) -> [Double] {
        var scaled = coefficients
        for index in 0..<spectrum.size {
            let factor = factor(index)
            for column in 0..<columns { scaled[index * columns + column] *= factor }
        }
        return spectrum.combination(scaled, columns: columns)
    }
}
