/// The first place where two lists differ by more than `tolerance` times the largest magnitude (at least 1),
/// described, or nil.
public func mismatch(_ found: [Double], _ expected: [Double], tolerance: Double) -> String? {
    if found.count != expected.count { return "\(found.count) elements, expected \(expected.count)" }
    let scale = expected.reduce(1) { max($0, abs($1)) }
    for (index, (a, b)) in zip(found, expected).enumerated()
    where !(abs(a - b) <= tolerance * scale || a == b || (a.isNaN && b.isNaN)) {
        return "element \(index): found \(a), expected \(b), ratio \(a / b), scale \(scale)"
    }
    return nil
}

/// Sum of products.
public func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
