import ArgumentParser

/// A number of bytes such as `2GB`, `512MiB` or `1.5G`; a plain number is one of MiB.
struct ByteCount: ExpressibleByArgument {
    let bytes: Int

    init(bytes: Int) { self.bytes = bytes }

    init?(argument: String) {
        let digits = argument.prefix { $0.isNumber || $0 == "." }
        guard let number = Double(digits), number > 0 else { return nil }
        let units: [String: Double] = [
            "": 1_048_576, "b": 1, "k": 1e3, "kb": 1e3, "kib": 1024, "m": 1e6, "mb": 1e6, "mib": 1_048_576,
            "g": 1e9,
            "gb": 1e9, "gib": 1_073_741_824, "t": 1e12, "tb": 1e12, "tib": 1_099_511_627_776,
        ]
        guard let unit = units[argument.dropFirst(digits.count).lowercased()], number * unit < 1e18,
            number * unit >= 1
        else { return nil }
        bytes = Int(number * unit)
    }

    var defaultValueDescription: String { "\(bytes >> 20)MiB" }
}
