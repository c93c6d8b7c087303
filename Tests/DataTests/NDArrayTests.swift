import Testing

@testable import Data

@Suite struct NDArrayTests {
    @Test func conversions() {
        let array = NDArray(shape: [2, 2], doubles: [1, 2, -3, 4])
        #expect(array.floats == [1, 2, -3, 4])
        #expect(array.integers == [1, 2, -3, 4])
        #expect(NDArray(shape: [1], doubles: [0.5]).integers == nil)
        #expect(NDArray(shape: [1], floats: [.nan]).integers == nil)
        #expect(NDArray(shape: [1], doubles: [1e300]).integers == nil)
        #expect(NDArray(shape: [2], storage: .uint8([0, 255])).doubles == [0, 255])
        #expect(NDArray(shape: [], integers: [5]).count == 1)
        #expect(NDArray(shape: [1 << 40, 1 << 40, 0], floats: []).count == 0)
    }

    @Test func nonFinite() {
        #expect(NDArray(shape: [3], doubles: [1, 2, 3]).firstNonFinite == nil)
        #expect(NDArray(shape: [3], doubles: [1, -.infinity, .nan]).firstNonFinite == 1)
        #expect(NDArray(shape: [3], floats: [1, 2, .nan]).firstNonFinite == 2)
    }

    @Test func rows() {
        let array = NDArray(shape: [3, 2], floats: [0, 1, 10, 11, 20, 21])
        #expect(array.rows(1..<3) == NDArray(shape: [2, 2], floats: [10, 11, 20, 21]))
        #expect(array.rows(at: [2, 0, 2]) == NDArray(shape: [3, 2], floats: [20, 21, 0, 1, 20, 21]))
        #expect(array.rows(0..<0) == NDArray(shape: [0, 2], floats: []))
        #expect(NDArray(shape: [2], integers: [4, 5]).rows(at: [1]) == NDArray(shape: [1], integers: [5]))
    }

    @Test func wrongCountIsRefused() async {
        await #expect(processExitsWith: .failure) {
            _ = NDArray(shape: [2, 2], floats: [1, 2, 3])
        }
    }

    /// Half precision against values from the standard: normal, subnormal, largest, special.
    @Test(
        arguments: [
            (0x3C00, 1), (0xC000, -2), (0x3555, 0.333251953125), (0x0001, 0x1p-24), (0x03FF, 1023 * 0x1p-24),
            (0x7BFF, 65504), (0x7C00, Float.infinity), (0xFC00, -Float.infinity), (0x0000, 0),
        ] as [(UInt16, Float)])
    func half(bits: UInt16, value: Float) {
        #expect(single(half: bits) == value)
    }

    @Test func halfNaN() {
        #expect(single(half: 0x7E00).isNaN)
    }
}
