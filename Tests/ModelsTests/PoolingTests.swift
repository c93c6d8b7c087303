import Graph
import Models
import TestSupport
import Testing

/// Pooling against PyTorch 2.13.
@Suite struct PoolingTests {
    private func check(_ layer: String, _ input: String, _ count: Int, _ expected: [Double]) throws {
        let y = try value(of: layer, input: input, ramp(count))
        #expect(mismatch(y, expected, tolerance: 1e-11) == nil, "\(layer)")
    }

    @Test func windowsThatTile() throws {
        try check(
            "max-pool: 2", "[2, 4, 4]", 32,
            [
                0.564642473395, 0.946300087687, 0.722881349512, 0.859161814856, 0.994644773878,
                0.365652620283,
                0.374700263649, 0.99359100268,
            ])
        try check(
            "average-pool: 2", "[2, 4, 4]", 32,
            [
                -0.38042687773, 0.617873473118, -0.255322867462, -0.107307905714, 0.666891096145,
                -0.497477381512, -0.49290794525, 0.665461864623,
            ])
    }

    @Test func maximumOverOverlappingPaddedWindows() throws {
        try check(
            "max-pool: {kernel: 3, stride: 2, padding: 1}", "[2, 5, 4]", 80,
            [
                0.564642473395, 0.946300087687, 0.722881349512, 0.859161814856, 0.949124553648,
                0.557315053518,
                0.994644773878, 0.994644773878, 0.374700263649, 0.99359100268, 0.854137361273, 0.729576737393,
                0.949403860687, 0.949403860687, 0.949403860687, 0.994736174953, 0.155991372212, 0.99349021796,
                0.94572433133, 0.853675140694, 0.860069405812, 0.949682418814, -0.047761430497,
                0.994826791358,
            ])
    }

    @Test func paddingNeverWins() throws {
        // All pixels are negative: zeros from the border would be greater.
        let y = try value(
            of: "max-pool: {kernel: 3, stride: 2, padding: 1}", input: "[1, 3, 3]",
            [-9, -8, -7, -6, -5, -4, -3, -2, -1])
        #expect(y == [-5, -4, -2, -1])
    }

    @Test func meansCountThePadding() throws {
        try check(
            "average-pool: {kernel: 3, stride: 2, padding: 1}", "[2, 5, 4]", 80,
            [
                -0.169078612325, 0.285726020717, -0.273713751881, -0.086964227445, 0.195210996698,
                -0.277423249656, 0.082521977956, 0.231826197431, -0.334289943949, 0.186783762039,
                -0.050606178157, -0.249659079523, 0.275848736438, 0.014219672363, -0.158803496121,
                0.328632276966, -0.260687225656, -0.045595315421, 0.274381777327, -0.213428235813,
                0.128823843761, 0.238413377781, -0.286681028565, 0.190666098416,
            ])
    }

    @Test func oblongWindows() throws {
        try check(
            "average-pool: {kernel: [2, 3], stride: [1, 2]}", "[2, 5, 4]", 80,
            [
                0.025593602815, -0.374690980213, -0.376691544447, 0.021718443191, 0.350323570762,
                -0.068777583363, -0.414770459597, -0.319876166805, 0.427668571171, 0.285703884972,
                -0.159954504842, -0.435586589307, 0.203010553724, 0.438432310668, 0.207815139846,
                -0.243702595536,
            ])
    }

    @Test func rowsThatDoNotFitAreDropped() throws {
        let image = (1...20).map { Double($0) }
        #expect(try value(of: "max-pool: 2", input: "[1, 5, 4]", image) == [6, 8, 14, 16])
    }

    @Test func globalMean() throws {
        let y = try value(of: "global-average-pool", input: "[2, 2, 2]", [1, 2, 3, 6, -1, -1, -1, -5])
        #expect(y == [3, -2])
    }
}
