import Foundation
import Graph

/// One tensor of a weight file.
public struct NamedTensor: Sendable, Hashable {
    /// Name, such as `0.weight`.
    public var name: String
    /// Shape.
    public var shape: Shape
    /// Elements, row-major.
    public var values: [Double]

    /// A tensor from its parts.
    public init(name: String, shape: Shape, values: [Double]) {
        precondition(values.count == shape.count, "\(values.count) values for a tensor of shape \(shape)")
        (self.name, self.shape, self.values) = (name, shape, values)
    }
}

/// `.safetensors` files: eight bytes of header length, a JSON header, the tensors' bytes.
public enum Safetensors {
    /// Formats in which floating-point tensors are written.
    public enum Format: String, Sendable { case float32 = "F32", float64 = "F64" }

    private struct Entry: Codable {
        var dtype: String
        var shape: [Int]
        var offsets: [Int]
        var start: Int { offsets[0] }
        var end: Int { offsets[1] }

        enum CodingKeys: String, CodingKey {
            case dtype, shape
            case offsets = "data_offsets"
        }
    }

    /// Reads all tensors of a file, in the order of their bytes.
    public static func read(_ path: String) throws(ModelError) -> [NamedTensor] {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw ModelError("\(path): no such weight file, or it cannot be read")
        }
        guard bytes.count >= 8 else {
            throw ModelError("\(path): truncated: \(bytes.count) bytes, a safetensors file has at least 8")
        }
        let length = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= 100_000_000, Int(length) + 8 <= bytes.count else {
            throw ModelError(
                "\(path): not a safetensors file, or truncated: a header of \(length) bytes in a file of "
                    + "\(bytes.count)")
        }
        let body = bytes[(8 + Int(length))...]
        let entries = try header(bytes[8..<8 + Int(length)], path)
        var tensors: [NamedTensor] = []
        var end = 0
        let sorted = entries.sorted { ($0.value.start, $0.key) < ($1.value.start, $1.key) }
        for (name, entry) in sorted {
            tensors.append(try tensor(name, entry, body, path))
            end = max(end, entry.end)
        }
        guard end == body.count else {
            throw ModelError("\(path): \(body.count) bytes of tensors, the header describes \(end)")
        }
        return tensors
    }

    private static func header(_ bytes: Foundation.Data, _ path: String) throws(ModelError) -> [String: Entry]
    {
        guard var object = try? JSONSerialization.jsonObject(with: bytes) as? [String: Any] else {
            throw ModelError(
                "\(path): the header of a safetensors file is a JSON object, found something else")
        }
        object["__metadata__"] = nil
        var entries: [String: Entry] = [:]
        for (name, value) in object {
            // Anything but a dictionary would stop `JSONSerialization`, not throw.
            guard value is [String: Any], let data = try? JSONSerialization.data(withJSONObject: value),
                let entry = try? JSONDecoder().decode(Entry.self, from: data), entry.offsets.count == 2,
                entry.shape.allSatisfy({ $0 >= 0 })
            else {
                throw ModelError("\(path): tensor \"\(name)\" has no valid dtype, shape and data_offsets")
            }
            entries[name] = entry
        }
        return entries
    }

    private static func tensor(
        _ name: String, _ entry: Entry, _ body: Foundation.Data, _ path: String
    ) throws(ModelError) -> NamedTensor {
        let sizes = [
            "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1,
            "BOOL": 1,
        ]
        guard let size = sizes[entry.dtype] else {
            throw ModelError("\(path): tensor \"\(name)\" has the type \(entry.dtype), which cannot be read")
        }
        var count = 1
        for extent in entry.shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard !overflow else {
                throw ModelError("\(path): tensor \"\(name)\" has the impossible shape \(entry.shape)")
            }
            count = product
        }
        let (start, end) = (entry.start, entry.end)
        let (bytesNeeded, overflow) = count.multipliedReportingOverflow(by: size)
        guard start >= 0, start <= end, end <= body.count, !overflow, end - start == bytesNeeded else {
            throw ModelError(
                "\(path): tensor \"\(name)\" lies at bytes \(start)..<\(end) of \(body.count), expected "
                    + "\(count) elements of \(entry.dtype): truncated or damaged")
        }
        let base = body.startIndex + start
        let values = body[base..<base + (end - start)].withUnsafeBytes { raw in
            (0..<count).map { decode(entry.dtype, raw, $0) }
        }
        return NamedTensor(name: name, shape: Shape(entry.shape), values: values)
    }

    private static func decode(_ type: String, _ raw: UnsafeRawBufferPointer, _ index: Int) -> Double {
        func load<T: FixedWidthInteger>(_: T.Type) -> T {
            T(littleEndian: raw.loadUnaligned(fromByteOffset: index * MemoryLayout<T>.size, as: T.self))
        }
        switch type {
        case "F64": return Double(bitPattern: load(UInt64.self))
        case "F32": return Double(Float(bitPattern: load(UInt32.self)))
        case "F16": return half(load(UInt16.self))
        case "BF16": return Double(Float(bitPattern: UInt32(load(UInt16.self)) << 16))
        case "I64": return Double(load(Int64.self))
        case "I32": return Double(load(Int32.self))
        case "I16": return Double(load(Int16.self))
        case "I8": return Double(load(Int8.self))
        default: return Double(load(UInt8.self))
        }
    }

    /// IEEE binary16.
    private static func half(_ bits: UInt16) -> Double {
        let sign = bits & 0x8000 == 0 ? 1.0 : -1.0
        let (exponent, fraction) = (Int(bits >> 10 & 0x1F), Double(bits & 0x3FF))
        switch exponent {
        case 0: return sign * fraction / 16_777_216
        case 31: return fraction == 0 ? sign * .infinity : .nan
        default:
            return sign * (1 + fraction / 1024) * Double(sign: .plus, exponent: exponent - 15, significand: 1)
        }
    }

    /// The bytes of a file with the given tensors.
    public static func bytes(_ tensors: [NamedTensor], _ format: Format) -> [UInt8] {
        var body = Foundation.Data()
        var parts: [String] = []
        for tensor in tensors {
            let start = body.count
            switch format {
            case .float32: for value in tensor.values { append(Float(value).bitPattern, to: &body) }
            case .float64: for value in tensor.values { append(value.bitPattern, to: &body) }
            }
            let encoded = (try? JSONEncoder().encode(tensor.name)) ?? Foundation.Data()
            let name = String(data: encoded, encoding: .utf8) ?? ""
            parts.append(
                "\(name):{\"dtype\":\"\(format.rawValue)\",\"shape\":\(tensor.shape.dims),"
                    + "\"data_offsets\":[\(start),\(body.count)]}")
        }
        var header = "{" + parts.joined(separator: ",") + "}"
        header += String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        var file = Foundation.Data()
        append(UInt64(header.utf8.count), to: &file)
        file.append(contentsOf: header.utf8)
        file.append(body)
        return [UInt8](file)
    }

    /// Writes tensors; an earlier file stays whole if anything fails.
    public static func write(_ tensors: [NamedTensor], to path: String, _ format: Format) throws(ModelError) {
        do {
            try Foundation.Data(bytes(tensors, format)).write(
                to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw ModelError("\(path): cannot be written: \(error.localizedDescription)")
        }
    }

    private static func append(_ bits: some FixedWidthInteger, to data: inout Foundation.Data) {
        withUnsafeBytes(of: bits.littleEndian) { data.append(contentsOf: $0) }
    }
}
