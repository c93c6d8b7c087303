import Backend
import Data

/// How entries of R come from seed, row and parameter index. A row (or block) has 2⁴⁰ words of a random stream; 64 signs
/// take one pair of them, a normal number half of a block of four, a bucket with its sign one pair.
extension RandomProjection {
    private func stream(_ part: Int, word: Int) -> RandomStream {
        RandomStream(
            seed: seed, purpose: "projection \(distribution.rawValue)",
            position: UInt64(part) << 40 + UInt64(word))
    }

    /// Some entries of one row of a dense matrix, before `scale`.
    func row(_ row: Int, parameters: Range<Int>) -> [Double] {
        [Double](unsafeUninitializedCapacity: parameters.count) { buffer, count in
            fill(buffer, row, parameters)
            count = parameters.count
        }
    }

    /// The row of its block that each parameter goes to, and the sign it gets.
    func buckets(block: Int, parameters: Range<Int>) -> (buckets: [Int], signs: [Double]) {
        var stream = stream(block, word: 2 * parameters.lowerBound)
        let words = stream.words(parameters.count), rows = UInt64(rowsPerPart)
        // The lowest bit is the sign, the others are a fraction of all rows.
        return (
            words.map { Int(($0 & ~1).multipliedFullWidth(by: rows).high) },
            words.map { $0 & 1 == 0 ? 1 : -1 }
        )
    }

    /// Writes what a device needs for some parameters: `[k, width]`, or `[blocks, 2, width]` of rows and signs.
    func write(_ parameters: Range<Int>, to target: DeviceSlice, on backend: any Backend)
        throws(BackendError)
    {
        switch target.array.precision {
        case .float32: try backend.write(factors(parameters, { Float($0) }, fill), to: target)
        case .float64: try backend.write(factors(parameters, { $0 }, fill), to: target)
        }
    }

    /// Elements that a device needs for one parameter.
    var elementsPerParameter: Int { distribution == .sparse ? 2 * parts : dimensions }

    private func factors<Number: BinaryFloatingPoint>(
        _ parameters: Range<Int>, _ number: (Double) -> Number,
        _ fill: (UnsafeMutableBufferPointer<Number>, Int, Range<Int>) -> Void
    ) -> [Number] {
        let width = parameters.count, line = width * elementsPerParameter / parts
        return [Number](unsafeUninitializedCapacity: parts * line) { buffer, count in
            CPUBackend.forEach(parts) { part in
                let target = UnsafeMutableBufferPointer(rebasing: buffer[part * line..<(part + 1) * line])
                if distribution == .sparse {
                    let (buckets, signs) = self.buckets(block: part, parameters: parameters)
                    for index in 0..<width {
                        target.initializeElement(at: index, to: number(Double(buckets[index])))
                        target.initializeElement(at: width + index, to: number(signs[index]))
                    }
                } else {
                    fill(target, part, parameters)
                }
            }
            count = parts * line
        }
    }

    private func fill(
        _ target: UnsafeMutableBufferPointer<Double>, _ row: Int, _ parameters: Range<Int>
    ) {
        if distribution == .gaussian {
            _ = target.initialize(from: normals(row, parameters))
            return
        }
        let (words, first) = signs(row, parameters)
        words.withUnsafeBufferPointer { words in
            for index in 0..<parameters.count {
                let place = first + index
                let sign = (words[place >> 6] &>> UInt64(place & 63)) << 63
                target.initializeElement(
                    at: index, to: Double(bitPattern: 0x3FF0_0000_0000_0000 | sign))
            }
        }
    }

    private func fill(_ target: UnsafeMutableBufferPointer<Float>, _ row: Int, _ parameters: Range<Int>) {
        if distribution == .gaussian {
            let values = normals(row, parameters)
            for index in 0..<parameters.count {
                target.initializeElement(at: index, to: Float(values[index]))
            }
            return
        }
        let (words, first) = signs(row, parameters)
        words.withUnsafeBufferPointer { words in
            for index in 0..<parameters.count {
                let place = first + index
                let sign = UInt32(truncatingIfNeeded: words[place >> 6] &>> UInt64(place & 63)) << 31
                target.initializeElement(at: index, to: Float(bitPattern: 0x3F80_0000 | sign))
            }
        }
    }

    /// Words whose bits are the signs of parameters, and the bit of the first one.
    private func signs(_ row: Int, _ parameters: Range<Int>) -> (words: [UInt64], first: Int) {
        let first = parameters.lowerBound >> 6
        var stream = stream(row, word: 2 * first)
        return (
            stream.words((parameters.upperBound + 63) >> 6 - first), parameters.lowerBound & 63
        )
    }

    private func normals(_ row: Int, _ parameters: Range<Int>) -> [Double] {
        let first = parameters.lowerBound
        var stream = stream(row, word: 4 * (first / 2) + first % 2)
        return stream.normals(parameters.count)
    }
}
