import Testing

@testable import Data

@Suite struct DatasetTests {
    private func set(_ labels: [Int], classes: Int = 3) -> Dataset {
        Dataset(
            name: "toy", split: "train",
            inputs: NDArray(shape: [labels.count, 1], floats: labels.indices.map { Float($0) }),
            labels: labels,
            classes: classes)
    }

    @Test func balancedSubset() throws {
        let toy = set([2, 2, 0, 0, 1, 0, 1, 2, 2])
        let subset = try toy.balancedSubset(count: 5)
        #expect(subset.labels == [0, 1, 2, 0, 1])
        #expect(subset.inputs.integers == [2, 4, 0, 3, 6])
        #expect(try toy.balancedSubset(count: 2).labels == [0, 1])
        #expect(try toy.balancedSubset(count: 7).labels == [0, 1, 2, 0, 1, 2, 0])
        expectError("3 samples of class 1", "only 2", "largest balanced subset has 7") {
            try toy.balancedSubset(count: 8)
        }
        expectError("only 9") { try toy.balancedSubset(count: 10) }
        expectError("at least 1") { try toy.balancedSubset(count: 0) }
        expectError("at least 1") { try toy.balancedSubset(count: -1) }
    }

    @Test func prefixesAreBalanced() throws {
        let labels = try #require(Digits.dataset(split: .train).balancedSubset(count: 137).labels)
        for length in 1...137 {
            let counts = (0..<10).map { c in labels[..<length].count { $0 == c } }
            #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
        }
    }

    @Test func regressionSubset() throws {
        var toy = set([0, 1, 2])
        toy.labels = nil
        toy.targets = NDArray(shape: [3, 1], doubles: [5, 6, 7])
        let subset = try toy.validated().balancedSubset(count: 2)
        #expect(subset.targets == NDArray(shape: [2, 1], doubles: [5, 6]))
    }

    @Test func oneHot() throws {
        #expect(try set([2, 0]).oneHot() == NDArray(shape: [2, 3], floats: [0, 0, 1, 1, 0, 0]))
        expectError("label 3") { try set([3]).oneHot() }
        var unlabelled = set([0])
        unlabelled.labels = nil
        expectError("no labels") { try unlabelled.oneHot() }
    }

    @Test func validation() throws {
        #expect(try set([0, 1, 2]).validated() == set([0, 1, 2]))
        expectError("'toy:train'", "sample 2 has label 3", "0 to 2") { try set([0, 1, 3]).validated() }
        expectError("sample 0 has label -1") { try set([-1]).validated() }
        expectError("no samples") { try set([]).validated() }
        var toy = set([0, 1, 2])
        toy.labels = [0, 1]
        expectError("3 inputs but 2 labels") { try toy.validated() }
        toy = set([0, 1])
        for bad in [Float.nan, .infinity] {
            toy.inputs = NDArray(shape: [2, 2], floats: [0, 1, 2, bad])
            expectError("sample 1 holds NaN or infinity") { try toy.validated() }
        }
        toy.inputs = NDArray(shape: [2, 2, 1], floats: [0, 1, 2, 3])
        expectError("[2, 2, 1]") { try toy.validated() }
        toy.inputs = NDArray(shape: [2, 0], floats: [])
        expectError("samples are empty") { try toy.validated() }
        toy = set([0, 1])
        toy.targets = NDArray(shape: [1, 2], floats: [0, 1])
        expectError("2 inputs but targets of shape [1, 2]") { try toy.validated() }
        toy.targets = NDArray(shape: [2, 2], floats: [0, 1, .nan, 0])
        expectError("target 1 holds NaN") { try toy.validated() }
    }
}
