import Foundation
import Testing

@testable import Data

@Suite struct NpyTests {
    static let samples: [NDArray] = [
        NDArray(shape: [2, 3], floats: [1, -2, 3.5, .infinity, 0, 1e-30]),
        NDArray(shape: [3], doubles: [1, .pi, -0.0]),
        NDArray(shape: [], integers: [-7]),
        NDArray(shape: [2, 1, 2], storage: .uint8([0, 1, 128, 255])),
        NDArray(shape: [0, 4], floats: []),
    ]

    @Test(arguments: samples) func roundTrip(array: NDArray) throws {
        try withFolder { folder in
            try Npy.write(array, to: folder + "/a.npy")
            #expect(try Npy.read(folder + "/a.npy") == array)
            #expect(try readBytes(folder + "/a.npy") == Npy.encode(array))
            #expect(try names(inFolder: folder) == ["a.npy"])
        }
    }

    /// The exact bytes of `numpy.save(f, numpy.array([[1.5, -2], [0.25, 3]], dtype='<f4'))`.
    @Test func sameBytesAsNumPy() {
        let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }"
        let expected =
            [0x93] + Array("NUMPY".utf8) + [1, 0, 0x76, 0] + Array(header.utf8)
            + [UInt8](repeating: 0x20, count: 117 - header.utf8.count) + [0x0A]
            + [0, 0, 0xC0, 0x3F, 0, 0, 0, 0xC0, 0, 0, 0x80, 0x3E, 0, 0, 0x40, 0x40]
        #expect(Npy.encode(NDArray(shape: [2, 2], floats: [1.5, -2, 0.25, 3])) == expected)
        // NumPy leaves room for the first size to grow to 21 digits; these headers tell 21 from 20 and 22.
        let ones = [Int](repeating: 1, count: 12)
        #expect(Npy.encode(NDArray(shape: [0, 10] + ones, floats: [])).count == 128)
        #expect(Npy.encode(NDArray(shape: [0, 100] + ones, floats: [])).count == 192)
    }

    @Test(
        arguments: [
            ("<f2", [0x00, 0x3C, 0x00, 0xC0], .float32([1, -2])),
            (">f4", [0x3F, 0x80, 0, 0, 0xC0, 0, 0, 0], .float32([1, -2])),
            ("<f8", [0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0xC0], .float64([1, -2])),
            (">f8", [0x3F, 0xF0, 0, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0], .float64([1, -2])),
            ("|i1", [0x7F, 0x80], .int64([127, -128])),
            ("|u1", [0x7F, 0x80], .uint8([127, 128])),
            ("|b1", [0, 1], .int64([0, 1])),
            ("<i2", [0xFE, 0xFF, 0x01, 0x02], .int64([-2, 513])),
            (">i2", [0xFF, 0xFE, 0x02, 0x01], .int64([-2, 513])),
            ("<u2", [0xFE, 0xFF, 0x01, 0x02], .int64([65534, 513])),
            ("<i4", [0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0], .int64([-1, 1])),
            (">u4", [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1], .int64([4_294_967_295, 1])),
            (
                ">i8", [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0, 0, 0, 0, 0, 0, 1, 0],
                .int64([-2, 256])
            ),
        ] as [(String, [UInt8], NDArray.Storage)])
    func types(descr: String, data: [UInt8], expected: NDArray.Storage) throws {
        let array = try Npy.decode(npy(descr, "(2,)", data), name: "t.npy")
        #expect(array == NDArray(shape: [2], storage: expected))
    }

    /// Element (i, j, k) of a `[2, 3, 2]` array is 100 i + 10 j + k, first index fastest in the file.
    @Test func fortranOrder() throws {
        var data: [UInt8] = []
        for k in 0..<2 { for j in 0..<3 { for i in 0..<2 { data.append(UInt8(100 * i + 10 * j + k)) } } }
        let array = try Npy.decode(npy("|u1", "(2, 3, 2)", data, fortran: true), name: "f.npy")
        #expect(array.integers == [0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121])
        #expect(array.shape == [2, 3, 2])
        let empty = try Npy.decode(npy("<f4", "(0, 3)", [], fortran: true), name: "f.npy")
        #expect(empty.shape == [0, 3])
    }

    /// Versions 2 and 3, other spacing and quotes, Python 2's long integers, a list for the shape.
    @Test func headerVariants() throws {
        let array = NDArray(shape: [1, 2], storage: .uint8([3, 4]))
        for dictionary in [
            "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2), }  \n",
            "{\"shape\":(1L,2L),\"fortran_order\":False,\"descr\":\"u1\"}",
            " { 'shape' : [1,2] , 'descr':'|u1','fortran_order' :False}\n",
        ] {
            for version in UInt8(1)...3 {
                #expect(try Npy.decode(npy(dictionary, [3, 4], version: version), name: "v.npy") == array)
            }
        }
    }

    @Test(arguments: ["|O", "<c8", "<c16", "<U3", "|S5", "<M8[ns]", "<f16", "<u8", "|V8", "", "<"])
    func unsupportedType(descr: String) {
        expectError("t.npy", "'\(descr)'", "not supported") {
            try Npy.decode(npy(descr, "(1,)", [0]), name: "t.npy")
        }
    }

    @Test func structuredType() {
        let dictionary = "{'descr': [('a', '<f4'), ('b', '<i8')], 'fortran_order': False, 'shape': (1,), }"
        expectError("t.npy", "structured") { try Npy.decode(npy(dictionary, []), name: "t.npy") }
    }

    @Test(arguments: [
        "", "{", "{}", "[]", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 1}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': '<f4, 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': ((((((((((((1,))))))))))))}",
    ])
    func damagedHeader(dictionary: String) {
        expectError("t.npy", "header is damaged") {
            try Npy.decode(npy(dictionary, [0, 0, 0, 0]), name: "t.npy")
        }
    }

    @Test func badShapes() {
        for shape in ["(-1,)", "(99999999999999999999,)", "('a',)", "((1,),)", "(1-2,)"] {
            expectError("t.npy", "shape") { try Npy.decode(npy("<f4", shape, []), name: "t.npy") }
        }
        for shape in ["(4611686018427387904,)", "(4294967296, 4294967296)", "(3037000500, 3037000500)"] {
            expectError("t.npy", "too large") { try Npy.decode(npy("<f8", shape, []), name: "t.npy") }
        }
    }

    @Test func wrongMagicAndVersion() {
        expectError("not a .npy file") { try Npy.decode(Array("PK and so on".utf8), name: "t.npy") }
        expectError("version 4.0") { try Npy.decode(npy("{}", [], version: 4), name: "t.npy") }
    }

    @Test func everyTruncationAndTrailingBytes() {
        let bytes = Npy.encode(NDArray(shape: [2, 2], floats: [1, 2, 3, 4]))
        for length in 0..<bytes.count {
            expectError("t.npy", "truncated") { try Npy.decode(Array(bytes[..<length]), name: "t.npy") }
        }
        expectError("left over", "16 bytes, found 17") { try Npy.decode(bytes + [0], name: "t.npy") }
    }

    /// Whatever byte is flipped, the answer is an array or an error, never a crash.
    @Test func flippedBytes() throws {
        let bytes = Npy.encode(NDArray(shape: [2, 2], floats: [1, 2, 3, 4]))
        for at in bytes.indices {
            for mask in [UInt8(1), 4, 16, 128] {
                var damaged = bytes
                damaged[at] ^= mask
                do { _ = try Npy.decode(damaged, name: "t.npy") } catch {
                    #expect("\(error)".contains("t.npy"))
                }
            }
        }
    }

    @Test func missingFile() throws {
        try withFolder { folder in
            expectError(folder + "/none.npy", "No such file") { try Npy.read(folder + "/none.npy") }
            expectError(folder, "folder") { try Npy.read(folder) }
        }
    }
}
