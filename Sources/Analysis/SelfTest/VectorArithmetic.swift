// Arithmetic of vectors on the host, for checks.

func inner(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

func length(_ a: [Double]) -> Double { inner(a, a).squareRoot() }

/// The larger number; not a number if one is not.
func greater(_ a: Double, _ b: Double) -> Double { a.isNaN || b.isNaN ? .nan : max(a, b) }

/// `‖a − b‖/‖b‖`, and 0 where both are zero.
func relative(_ a: [Double], _ b: [Double]) -> Double {
    let difference = length(zip(a, b).map(-)), scale = length(b)
    return scale > 0 ? difference / scale : difference == 0 ? 0 : .infinity
}
