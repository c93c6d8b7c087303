/// How surely a Krylov space of a random vector `g` would have shown an eigenvalue μ, if there were one.
///
/// Every basis vector is a polynomial of the operator applied to g, so an eigenvector x of μ has in basis vector i the
/// component `φᵢ(μ)·⟨x, g⟩`. The basis is orthonormal: `⟨x, g⟩² ≤ 1/Σφᵢ(μ)²`, the Christoffel function of g's spectral
/// measure (Golub and Meurant 1994). A Gaussian g has so small a share of x with a probability that is known.
struct HiddenCopies: Codable, Equatable {
    /// μ: beyond it values would be wanted.
    let value: Double
    /// `φᵢ(μ)` of the basis, and of the vector that comes next.
    private var polynomials: [Double] = [], next = 1.0

    init(_ value: Double) { self.value = value }

    /// A step took the next vector in: `column` are T's elements of the new vector, `coupling` that to the one after it.
    mutating func step(_ column: [Double], coupling: Double?) {
        polynomials.append(next)
        let product = zip(column, polynomials).reduce(0) { $0 + $1.0 * $1.1 }
        // Beyond this nothing is hidden, and numbers stay finite.
        let bound = 1e100
        let following = coupling.map { (value * next - product) / $0 } ?? bound
        next = following.isFinite ? max(-bound, min(bound, following)) : bound
    }

    /// The basis was replaced by combinations of it.
    mutating func restart(_ vectors: [[Double]]) {
        polynomials = vectors.map { vector in zip(vector, polynomials).reduce(0) { $0 + $1.0 * $1.1 } }
    }

    /// The probability that a random vector of `dimension` numbers hides the value from this basis: that of
    /// `|N(0, 1)| ≤ √(dimension/Σφᵢ²)`, at most 1.
    func risk(_ dimension: Int) -> Double {
        let sum = polynomials.reduce(0) { $0 + $1 * $1 } + next * next
        return min(1, (2 * Double(dimension) / (Double.pi * sum)).squareRoot())
    }
}
