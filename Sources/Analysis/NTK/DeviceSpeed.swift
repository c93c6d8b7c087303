import Backend
import Graph
import Planner

/// What a device does per second, from two short measurements.
public struct DeviceSpeed: Sendable {
    /// Floating-point operations of a large matrix product, and bytes of a copy.
    public let flopsPerSecond: Double, bytesPerSecond: Double

    /// Seconds that work takes if both rates are reached.
    public func seconds(flops: Double, bytes: Double) -> Double {
        flops / flopsPerSecond + bytes / bytesPerSecond
    }

    /// The rates of a device, in about a tenth of a second.
    public static func measured(_ backend: any Backend, _ precision: Precision) throws(BackendError)
        -> DeviceSpeed
    {
        let n = 768, count = 1 << 22
        let product = try backend.compile(
            .trace { t in [("c", t.input("a", [n, n]).matmul(t.input("b", [n, n]), transposeB: true))] },
            precision)
        let copy = try backend.compile(.trace { t in [("y", t.input("x", [count]) * 2)] }, precision)
        let a = try backend.upload([Double](repeating: 0.5, count: n * n), precision)
        let b = try backend.upload([Double](repeating: 0.25, count: n * n), precision)
        let c = try backend.allocate(n * n, precision)
        let x = try backend.allocate(count, precision), y = try backend.allocate(count, precision)
        func best(_ run: () throws(BackendError) -> Void) throws(BackendError) -> Double {
            var best = Double.infinity
            for _ in 0..<6 {
                let clock = ContinuousClock.now
                try run()
                try backend.synchronize()
                best = min(best, (ContinuousClock.now - clock) / .seconds(1))
            }
            return max(best, 1e-9)
        }
        let productTime = try best { () throws(BackendError) in
            try product.run(inputs: [a.all, b.all], outputs: [c.all])
        }
        let copyTime = try best { () throws(BackendError) in try copy.run(inputs: [x.all], outputs: [y.all]) }
        return DeviceSpeed(
            flopsPerSecond: 2 * Double(n * n * n) / productTime,
            bytesPerSecond: Double(2 * count * precision.bytes) / copyTime)
    }
}
