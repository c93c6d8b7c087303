import Foundation
import Testing

@testable import Data

@Suite struct RandomStreamTests {
    /// The known answers of Random123, `kat_vectors`.
    @Test func philoxKnownAnswers() {
        #expect(
            Philox.block(counter: SIMD4(repeating: 0), key: SIMD2(repeating: 0))
                == SIMD4(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8))
        #expect(
            Philox.block(counter: SIMD4(repeating: .max), key: SIMD2(repeating: .max))
                == SIMD4(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD))
        #expect(
            Philox.block(
                counter: SIMD4(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344),
                key: SIMD2(0xA409_3822, 0x299F_31D0))
                == SIMD4(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1))
    }

    @Test func hashIsFNV1a() {
        #expect(RandomStream.hash("") == 0xCBF2_9CE4_8422_2325)
        #expect(RandomStream.hash("foobar") == 0x8594_4171_F739_67E8)
    }

    /// The words of a stream come from the documented counter and key.
    @Test func counterLayout() {
        var stream = RandomStream(seed: 0x0123_4567_89AB_CDEF, purpose: "foobar", position: 4 * 0x2_0000_0003)
        let block = Philox.block(
            counter: SIMD4(3, 2, 0xF739_67E8, 0x8594_4171), key: SIMD2(0x89AB_CDEF, 0x0123_4567))
        let expected = Double((UInt64(block[1]) << 32 | UInt64(block[0])) >> 11) * 0x1p-53
        #expect(stream.uniform() == expected)
    }

    /// Words are the pairs that other numbers are made of, and move on by two.
    @Test func words() {
        var stream = RandomStream(seed: 7, purpose: "words", position: 6), others = stream
        let words = stream.words(5)
        #expect(words.map { Double($0 >> 11) * 0x1p-53 } == others.uniforms(5))
        #expect(stream == others && stream.position == 16)
    }

    @Test func moments() {
        var stream = RandomStream(seed: 7, purpose: "moments")
        let n = 200_000
        func moment(_ values: [Double], _ power: Double) -> Double {
            values.reduce(0) { $0 + pow($1, power) } / Double(values.count)
        }
        // Tolerances are five standard errors.
        let u = stream.uniforms(n)
        #expect(u.allSatisfy { $0 >= 0 && $0 < 1 })
        #expect(abs(moment(u, 1) - 0.5) < 5 * (0.0833 / Double(n)).squareRoot())
        #expect(abs(moment(u, 2) - 1 / 3.0) < 5 * (0.0889 / Double(n)).squareRoot())
        let z = stream.normals(n)
        #expect(abs(moment(z, 1)) < 5 * (1 / Double(n)).squareRoot())
        #expect(abs(moment(z, 2) - 1) < 5 * (2 / Double(n)).squareRoot())
        #expect(abs(moment(z, 3)) < 5 * (15 / Double(n)).squareRoot())
        #expect(abs(moment(z, 4) - 3) < 5 * (96 / Double(n)).squareRoot())
        let pairs = stride(from: 0, to: n, by: 2).map { z[$0] * z[$0 + 1] }
        #expect(abs(moment(pairs, 1)) < 5 * (2 / Double(n)).squareRoot())
        let signs = stream.rademachers(n)
        #expect(signs.allSatisfy { abs($0) == 1 })
        #expect(abs(moment(signs, 1)) < 5 * (1 / Double(n)).squareRoot())
    }

    /// Chi-square of the uniform over 100 cells and of `integer(below: 7)`; 5 sigma above the mean.
    @Test func evenDistribution() {
        var stream = RandomStream(seed: 11, purpose: "cells")
        func chiSquare(_ counts: [Double], expected: Double) -> Double {
            counts.map { ($0 - expected) * ($0 - expected) / expected }.reduce(0, +)
        }
        var cells = [Double](repeating: 0, count: 100)
        for value in stream.uniforms(100_000) { cells[Int(value * 100)] += 1 }
        #expect(chiSquare(cells, expected: 1000) < 99 + 5 * Double(2 * 99).squareRoot())
        var faces = [Double](repeating: 0, count: 7)
        for _ in 0..<70_000 { faces[stream.integer(below: 7)] += 1 }
        #expect(chiSquare(faces, expected: 10_000) < 6 + 5 * Double(2 * 6).squareRoot())
        #expect((0..<20).allSatisfy { _ in stream.integer(below: 1) == 0 })
    }

    /// A bound just above 2⁶² shows the bias of a plain remainder or product.
    @Test func largeBoundIsUnbiased() {
        var stream = RandomStream(seed: 3, purpose: "large")
        let bound = 3 << 61
        let draws = (0..<20_000).map { _ in stream.integer(below: bound) }
        #expect(draws.allSatisfy { $0 >= 0 && $0 < bound })
        let thirds = (0..<3).map { third in draws.filter { $0 >> 61 == third }.count }
        #expect(thirds.allSatisfy { abs(Double($0) - 20_000 / 3.0) < 5 * 67 })
    }

    @Test func permutations() {
        var stream = RandomStream(seed: 5, purpose: "order")
        #expect(stream.permutation(0) == [])
        #expect(stream.permutation(1) == [0])
        #expect(stream.permutation(1000).sorted() == Array(0..<1000))
        var counts: [[Int]: Int] = [:]
        for _ in 0..<6000 { counts[stream.permutation(3), default: 0] += 1 }
        #expect(counts.count == 6)
        #expect(counts.values.allSatisfy { abs($0 - 1000) < 150 })
    }

    @Test func streamsDiffer() {
        func first(_ seed: UInt64, _ purpose: String) -> [Double] {
            var stream = RandomStream(seed: seed, purpose: purpose)
            return stream.uniforms(4)
        }
        #expect(first(1, "a") == first(1, "a"))
        #expect(first(1, "a") != first(2, "a"))
        #expect(first(1, "a") != first(1, "b"))
        #expect(first(1 << 40, "a") != first(0, "a"))
    }

    /// Save and restore before every one of a mix of draws; the sequel is the same, bit for bit.
    @Test func resumesAnywhere() throws {
        func draw(_ stream: inout RandomStream, _ i: Int) -> Double {
            switch [0, 1, 1, 1, 2, 1, 3, 0, 0, 1, 0, 1, 1, 4][i % 14] {
            case 0: stream.uniform()
            case 1: stream.normal()
            case 2: stream.rademacher()
            case 3: Double(stream.integer(below: 1000))
            default: Double(stream.permutation(5)[2])
            }
        }
        var whole = RandomStream(seed: .max, purpose: "resume")
        let expected = (0..<100).map { draw(&whole, $0) }
        for resumed in 0..<100 {
            var stream = RandomStream(seed: .max, purpose: "resume")
            for i in 0..<resumed { _ = draw(&stream, i) }
            let saved = try JSONEncoder().encode(stream)
            var restored = try JSONDecoder().decode(RandomStream.self, from: saved)
            #expect(restored == stream)
            var moved = RandomStream(seed: .max, purpose: "resume")
            _ = moved.normal()
            moved.position = stream.position
            for i in resumed..<100 {
                #expect(draw(&restored, i) == expected[i])
                #expect(draw(&moved, i) == expected[i])
            }
        }
    }

    /// Bulk calls give the values of single calls, however they are cut; odd counts included.
    @Test func bulkEqualsSingle() {
        var bulk = RandomStream(seed: 1, purpose: "bulk")
        var single = bulk
        #expect(bulk.normals(3) + bulk.normals(0) + bulk.normals(4) == (0..<7).map { _ in single.normal() })
        #expect(bulk.uniforms(3) == (0..<3).map { _ in single.uniform() })
        #expect(bulk.normals(2) == (0..<2).map { _ in single.normal() })
        #expect(bulk.rademachers(5) == (0..<5).map { _ in single.rademacher() })
        #expect(bulk == single)
    }

    /// No word serves two values: a uniform between two normals changes nothing they share.
    @Test func wordsAreUsedOnce() {
        var stream = RandomStream(seed: 1, purpose: "once")
        _ = stream.uniform()
        #expect(stream.position == 2)
        _ = stream.normal()
        #expect(stream.position == 5)
        _ = stream.uniform()
        #expect(stream.position == 10)
        _ = stream.normal()
        _ = stream.normal()
        #expect(stream.position == 16)
    }
}
