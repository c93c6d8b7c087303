import Backend
import Graph
import Planner

extension Workload {
    /// Elements of the arrays whose bandwidth is measured: 64 MiB in float32, more than most caches hold.
    static let streamCount = 1 << 24

    /// Bandwidth of the device's memory.
    static func memory(_ precision: Precision) -> [Workload] {
        let n = streamCount
        let copy = Program.trace { t in [("y", t.input("x", [n]))] }
        let triad = Program.trace { t in [("y", t.input("a", [n]) + t.input("b", [n]) * 3)] }
        return [
            stream("memory/copy", copy, precision) { $0["x"]! },
            stream("memory/triad", triad, precision) { values in
                zip(values["a"]!, values["b"]!).map { $0 + 3 * $1 }
            },
        ]
    }

    private static func stream(
        _ id: String, _ program: Program, _ precision: Precision,
        reference: @escaping ([String: [Double]]) -> [Double]
    ) -> Workload {
        Workload(id, quick: true, precision) { setting in
            let bound = try BoundProgram(program, setting, precision)
            return PreparedWorkload(
                start: bound.start,
                check: {
                    Check(try bound.result(), reference(bound.values), tolerance: 8 * precision.epsilon)
                })
        }
    }

    /// Copies between host and device, 64 MiB at a time.
    static func transfer(_ precision: Precision) -> [Workload] {
        ["to-device", "from-device"].map { direction in
            Workload("transfer/\(direction)", quick: true, precision) { setting in
                let backend = setting.backend, count = (64 << 20) / precision.bytes
                let sent = HostBytes(
                    BoundProgram.random(count, setting.seed, "transfer", precision), precision)
                let received = HostBytes([Double](repeating: 0, count: count), precision)
                let array = try backend.allocate(count, precision)
                try backend.write(UnsafeRawBufferPointer(sent.bytes), to: array.all)
                let isUp = direction == "to-device"
                return PreparedWorkload(
                    start: {
                        if isUp {
                            try backend.write(UnsafeRawBufferPointer(sent.bytes), to: array.all)
                        } else {
                            try backend.read(array.all, into: received.bytes)
                        }
                    },
                    check: {
                        if isUp { try backend.read(array.all, into: received.bytes) }
                        let isSame = zip(sent.bytes, received.bytes).allSatisfy { $0 == $1 }
                        return Check(error: isSame ? 0 : 1, tolerance: 0)
                    }, bytes: sent.bytes.count)
            }
        }
    }
}
