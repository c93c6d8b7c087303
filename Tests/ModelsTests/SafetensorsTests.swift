import Foundation
import Graph
import Models
import TestSupport
import Testing

/// `.safetensors` files, written by us and by the Python library.
@Suite struct SafetensorsTests {
    private let tensors = [
        NamedTensor(name: "0.weight", shape: [2, 3], values: [1, -2.5, 1e-30, 0.1, 3e38, 0]),
        NamedTensor(name: "naïve \"quoted\"", shape: [], values: [-0.75]),
        NamedTensor(name: "empty", shape: [0, 4], values: []),
    ]

    @Test func roundTrip() throws {
        try withFolder { folder in
            for format in [Safetensors.Format.float32, .float64] {
                let path = "\(folder)/\(format.rawValue)"
                try Safetensors.write(tensors, to: path, format)
                let found = try Safetensors.read(path)
                let expected = tensors.map { tensor in
                    var copy = tensor
                    if format == .float32 { copy.values = tensor.values.map { Double(Float($0)) } }
                    return copy
                }
                #expect(found.sorted { $0.name < $1.name } == expected.sorted { $0.name < $1.name })
                let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
                #expect(bytes[0..<8].first! % 8 == 0, "the header ends on a multiple of eight bytes")
            }
        }
    }

    @Test func aFailedWriteHarmsNothing() throws {
        let text = message { try Safetensors.write([], to: "/nowhere/at/all/w.safetensors", .float32) }
        #expect(text?.hasPrefix("/nowhere/at/all/w.safetensors: cannot be written") == true)
    }

    /// `safetensors.numpy.save` of float32, int64 and float16 arrays, with metadata.
    @Test func fileOfThePythonLibrary() throws {
        let base64 =
            "yAAAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJucCJ9LCJhIjp7ImR0eXBlIjoiSTY0Iiwic2hhcGUiOlsyXSwiZGF0"
            + "YV9vZmZzZXRzIjpbMCwxNl19LCJiIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsxLDJdLCJkYXRhX29mZnNldHMiOlsxNiwyNF19"
            + "LCJoIjp7ImR0eXBlIjoiRjE2Iiwic2hhcGUiOlszXSwiZGF0YV9vZmZzZXRzIjpbMjQsMzBdfX0gIAMAAAAAAAAA/P////////8A"
            + "AMA/AAAQwGYu/3sBAA=="
        #expect(
            try read(base64) == [
                NamedTensor(name: "a", shape: [2], values: [3, -4]),
                NamedTensor(name: "b", shape: [1, 2], values: [1.5, -2.25]),
                NamedTensor(name: "h", shape: [3], values: [0.0999755859375, 65504, 5.960464477539063e-08]),
            ])
    }

    /// `safetensors.torch.save` of float64 and bfloat16 tensors.
    @Test func bfloat16() throws {
        let base64 =
            "cAAAAAAAAAB7ImQiOnsiZHR5cGUiOiJGNjQiLCJzaGFwZSI6WzFdLCJkYXRhX29mZnNldHMiOlswLDhdfSwidyI6eyJkdHlwZSI6"
            + "IkJGMTYiLCJzaGFwZSI6WzNdLCJkYXRhX29mZnNldHMiOls4LDE0XX19ICAgVVVVVVVV1T+AP6q+gH8="
        #expect(
            try read(base64) == [
                NamedTensor(name: "d", shape: [1], values: [1.0 / 3]),
                NamedTensor(name: "w", shape: [3], values: [1, -0.33203125, .infinity]),
            ])
    }

    @Test func halves() throws {
        // Largest subnormal, −0, one plus an ulp, −∞, a NaN.
        let bits: [UInt16] = [0x03FF, 0x8000, 0x3C01, 0xFC00, 0x7E00]
        let header = #"{"h":{"dtype":"F16","shape":[5],"data_offsets":[0,10]}}"#
        let found = try read(file(header, body: bits.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }))[0]
            .values
        let expected: [Double] = [6.097555160522461e-05, 0, 1.0009765625, -.infinity]
        #expect(Array(found.prefix(4)) == expected)
        #expect(found[1].sign == .minus)
        #expect(found[4].isNaN)
    }

    @Test func truncatedAnywhere() throws {
        try withFolder { folder in
            let path = folder + "/w"
            try Safetensors.write(tensors, to: path, .float32)
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            for length in 0..<whole.count {
                try whole.prefix(length).write(to: URL(fileURLWithPath: path))
                let text = message { _ = try Safetensors.read(path) }
                #expect(
                    text?.hasPrefix(path) == true, "\(length) of \(whole.count) bytes: \(text ?? "accepted")")
            }
            try (whole + [0]).write(to: URL(fileURLWithPath: path))
            #expect(message { _ = try Safetensors.read(path) }?.contains("the header describes") == true)
        }
    }

    private static let headers: [(String, String)] = [
        ("[1, 2]", "is a JSON object"),
        ("{", "is a JSON object"),
        (#"{"w":5}"#, "no valid dtype, shape and data_offsets"),
        (#"{"w":"text"}"#, "no valid dtype, shape and data_offsets"),
        (#"{"w":null}"#, "no valid dtype, shape and data_offsets"),
        (#"{"w":{"dtype":"F32","shape":[1]}}"#, "no valid dtype, shape and data_offsets"),
        (
            #"{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
            "no valid dtype, shape and data_offsets"
        ),
        (#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, "no valid dtype, shape and data_offsets"),
        (#"{"w":{"dtype":"C64","shape":[1],"data_offsets":[0,4]}}"#, "type C64, which cannot be read"),
        (#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, "truncated or damaged"),
        (#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, "truncated or damaged"),
        (#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, "truncated or damaged"),
        (#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, "truncated or damaged"),
        (
            #"{"w":{"dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,0]}}"#,
            "truncated or damaged"
        ),
        (
            #"{"w":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}"#,
            "the impossible shape"
        ),
        ("{}", "4 bytes of tensors, the header describes 0"),
    ]

    @Test(arguments: headers.indices)
    func damagedHeaders(_ index: Int) throws {
        let (header, expected) = Self.headers[index]
        let text = message { _ = try read(file(header, body: [0, 0, 0, 0])) }
        #expect(text?.contains(expected) == true, "\(header): \(text ?? "accepted")")
    }

    @Test func anAbsurdHeaderLength() throws {
        let text = message { _ = try read(Data([255, 255, 255, 255, 255, 255, 255, 255, 123])) }
        #expect(text?.contains("not a safetensors file, or truncated") == true)
    }

    private func file(_ header: String, body: [UInt8]) -> Data {
        Data((0..<8).map { UInt8(header.utf8.count >> (8 * $0) & 255) }) + Data(header.utf8) + Data(body)
    }

    private func read(_ base64: String) throws -> [NamedTensor] {
        try read(#require(Data(base64Encoded: base64)))
    }

    private func read(_ bytes: Data) throws -> [NamedTensor] {
        var tensors: [NamedTensor] = []
        try withFolder { folder in
            try bytes.write(to: URL(fileURLWithPath: folder + "/w.safetensors"))
            tensors = try Safetensors.read(folder + "/w.safetensors")
        }
        return tensors
    }
}
