import Foundation

/// `value` with `digits` significant digits; very large and very small values as `1.23e-05`.
public func formatSignificant(_ value: Double, digits: Int = 3) -> String {
    guard value.isFinite else { return nonFinite(value) }
    let digits = min(max(digits, 1), 17)
    guard value != 0 else { return "0" }
    let exponent = roundedExponent(value, digits: digits)
    guard (-4..<max(digits, 6)).contains(exponent) else {
        return String(format: "%.\(digits - 1)e", value)
    }
    return String(format: "%.\(max(0, digits - 1 - exponent))f", value)
}

/// `value ± error`: the error with two significant digits, the value to the same place.
public func formatWithError(_ value: Double, error: Double) -> String {
    guard value.isFinite, error.isFinite else {
        return "\(formatSignificant(value)) ± \(formatSignificant(error))"
    }
    let error = abs(error)
    guard error > 0 else { return "\(formatSignificant(value, digits: 6)) ± 0" }
    let errorExponent = roundedExponent(error, digits: 2)
    let lead = max(errorExponent, value == 0 ? errorExponent : roundedExponent(value, digits: 2))
    if (-4..<6).contains(lead), errorExponent > -10 {
        let places = max(0, 1 - errorExponent)
        return String(format: "%.\(places)f ± %.\(places)f", value, error)
    }
    let places = min(max(0, lead - errorExponent + 1), 16)
    let scale = pow(10, Double(lead))
    let scaled =
        scale > 0 && scale.isFinite
        ? (value / scale, error / scale) : (value * pow(10, Double(-lead)), error * pow(10, Double(-lead)))
    return String(format: "(%.\(places)f ± %.\(places)f)e%+03d", scaled.0, scaled.1, lead)
}

/// A duration: `412 µs`, `3.45 s`, `2 min 05 s`, `1 h 02 min`.
public func formatSeconds(_ seconds: Double) -> String {
    guard seconds.isFinite else { return nonFinite(seconds) }
    if seconds < 0 { return "-" + formatSeconds(-seconds) }
    if seconds == 0 { return "0 s" }
    for (limit, scale, unit) in [(999.5e-9, 1e9, "ns"), (999.5e-6, 1e6, "µs"), (0.9995, 1e3, "ms")]
    where seconds < limit {
        return "\(formatSignificant(seconds * scale)) \(unit)"
    }
    if seconds < 99.95 { return "\(formatSignificant(seconds)) s" }
    guard seconds < 1e15 else { return "\(formatSignificant(seconds)) s" }
    let whole = Int(seconds.rounded())
    if whole < 3600 { return String(format: "%d min %02d s", whole / 60, whole % 60) }
    let minutes = Int((seconds / 60).rounded())
    return String(format: "%d h %02d min", minutes / 60, minutes % 60)
}

/// An amount of memory in binary units: `512 B`, `1.50 GiB`.
public func formatBytes(_ bytes: Int) -> String {
    var value = Double(bytes)
    guard abs(value) >= 1024 else { return "\(bytes) B" }
    for unit in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
        value /= 1024
        // 1023.9 would show as 1024.
        if abs(value) < 1023.5 { return "\(binaryDigits(value)) \(unit)" }
    }
    return "\(binaryDigits(value / 1024)) EiB"
}

private func binaryDigits(_ value: Double) -> String {
    formatSignificant(value, digits: abs(value) >= 999.5 ? 4 : 3)
}

private func nonFinite(_ value: Double) -> String {
    value.isNaN ? "nan" : value < 0 ? "-inf" : "inf"
}

/// The decimal exponent of `value` after rounding to `digits` significant digits.
private func roundedExponent(_ value: Double, digits: Int) -> Int {
    let text = String(format: "%.\(digits - 1)e", value)
    return text.split(separator: "e").last.flatMap { Int($0) } ?? 0
}
