import Analysis
import Backend
import Graph
import TestSupport
import Testing

/// Choices of parameters by name.
@Suite struct ParameterGroupTests {
    private let layout = ParameterLayout([
        ("0.weight", [2, 3]), ("0.bias", [2]), ("2.body.0.weight", [4]), ("2.body.0.bias", [1]),
        ("10.weight", [5]),
    ])

    @Test func layers() {
        #expect(layout.layers.map(\.name) == ["0", "2.body.0", "10"])
        #expect(layout.layers.map(\.layout.count) == [8, 5, 5])
        #expect(layout.layers[1].layout.entries.map(\.offset) == [0, 4])
    }

    @Test(arguments: [
        ("0", ["0.weight", "0.bias"]), ("10,0.bias", ["0.bias", "10.weight"]),
        (".*weight", ["0.weight", "2.body.0.weight", "10.weight"]),
        ("2", ["2.body.0.weight", "2.body.0.bias"]),
        ("2.body.0 , 0", ["0.weight", "0.bias", "2.body.0.weight", "2.body.0.bias"]),
    ])
    func lists(_ list: String, _ names: [String]) throws {
        #expect(try layout.selecting(list).entries.map(\.name) == names)
    }

    @Test(arguments: ["1", "weight", "", "0,", "(", "3.*"])
    func whatChoosesNothing(_ list: String) {
        #expect(throws: SelectionError.self) { try layout.selecting(list) }
    }
}

extension OnDevices {
    @Suite struct BlockNormTests {
        /// Means over many probes against the blocks of the whole matrix; the errors that are told hold.
        @Test(arguments: TestDevices.targets)
        func normsOfBlocks(_ target: Target) throws {
            let layout = ParameterLayout([("0.a", [4]), ("0.b", [3]), ("1.a", [5])])
            let elements = symmetric(12, seed: 8), matrix = try target.matrix(elements)
            let groups = layout.layers.map(\.layout)
            let found = try BlockNorms.estimate(matrix, layout, groups: groups, probes: 400, seed: 3)
            let parts = [0..<7, 7..<12]
            for (a, rows) in parts.enumerated() {
                for (b, columns) in parts.enumerated() {
                    let exact = rows.reduce(0.0) { sum, i in
                        sum + columns.reduce(0.0) { $0 + elements[i * 12 + $1] * elements[i * 12 + $1] }
                    }
                    let error = found.standardErrors[2 * a + b]
                    #expect(abs(found.squares[2 * a + b] - exact) < 4 * error && error < 0.1 * exact)
                }
                let trace = rows.reduce(0.0) { $0 + elements[$1 * 13] }
                #expect(abs(found.traces[a].mean - trace) < 4 * found.traces[a].standardError)
            }
            #expect(found.products == 800)
        }
    }
}
