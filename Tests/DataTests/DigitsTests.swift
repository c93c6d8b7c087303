import Testing

@testable import Data

@Suite struct DigitsTests {
    /// As in `Sources/CDigits/README.md`.
    @Test func embeddedBytes() {
        #expect(Digits.bytes.count == 1797 * 65)
        #expect(checksum(Digits.bytes) == 0xE7D8_9AA3)
    }

    @Test func countsPerClass() {
        let (train, test) = (Digits.dataset(split: .train), Digits.dataset(split: .test))
        let all = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
        #expect((0..<10).map { c in test.labels?.count { $0 == c } } == all.map { $0 / 5 })
        #expect((0..<10).map { c in train.labels?.count { $0 == c } } == all.map { $0 - $0 / 5 })
        #expect(train.inputs.shape == [1442, 1, 8, 8])
        #expect(test.inputs.shape == [355, 1, 8, 8])
    }

    @Test func values() throws {
        let (train, test) = (Digits.dataset(split: .train), Digits.dataset(split: .test))
        for set in [train, test] {
            let sound = try set.validated()
            #expect(sound.inputs.floats.allSatisfy { $0 >= 0 && $0 <= 1 })
        }
        let sum = (train.inputs.doubles + test.inputs.doubles).reduce(0) { $0 + $1 * 16 }
        #expect(sum == 561_718)
        // The first image, a zero: its second row is 0 0 13 15 10 15 5 0.
        #expect(train.labels?.prefix(4) == [0, 1, 2, 3])
        #expect(train.inputs.floats[8..<16].map { $0 * 16 } == [0, 0, 13, 15, 10, 15, 5, 0])
    }
}
