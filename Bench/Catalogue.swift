import Planner

/// Everything that can be measured.
public enum Catalogue {
    /// Groups in the order they are shown, and what they tell.
    public static let groups: [(name: String, title: String)] = [
        ("gemm", "Matrix products"),
        ("memory", "Bandwidth of the device's memory"),
        ("transfer", "Copies between host and device"),
        ("launch", "Time per launch of an almost empty step"),
        ("elementwise", "Functions and reductions of 16 million elements"),
        ("convolution", "Convolutions and their two gradients"),
        ("work", "Networks at batch 128 or 20 × 100: loss, gradient, Hessian-vector product, training step"),
        ("kernel", "Tangent kernels: samples and weights in, a matrix out"),
    ]

    /// All workloads. Matrix products come in both precisions, all others in the given one.
    public static func workloads(_ precision: Precision = .float32) throws -> [Workload] {
        try Workload.gemm() + Workload.memory(precision) + Workload.transfer(precision)
            + Workload.launch(precision) + Workload.elementwise(precision) + Workload.convolution(precision)
            + Workload.work(precision) + Workload.kernel(precision)
    }

    /// The workloads of the given groups, or those whose name begins with one of the given parts; all if there are
    /// none. A part that matches nothing is an error.
    public static func select(
        _ parts: [String], from workloads: [Workload], quick: Bool
    ) throws(BenchError) -> [Workload] {
        func matches(_ workload: Workload, _ part: String) -> Bool {
            workload.id == part || workload.id.hasPrefix(part + "/")
        }
        if let unknown = parts.first(where: { part in !workloads.contains { matches($0, part) } }) {
            let names = groups.map(\.name).joined(separator: ", ")
            throw BenchError("there is no group or measurement \"\(unknown)\": groups are \(names)")
        }
        let chosen = workloads.filter { workload in
            parts.isEmpty || parts.contains { matches(workload, $0) }
        }
        // What is named in full is meant, also in a quick run.
        return quick ? chosen.filter { $0.isQuick || parts.contains($0.id) } : chosen
    }
}
