import Backend
import Foundation
import Graph
import Planner

/// What a device does per second, from three short measurements.
public struct DeviceSpeed: Sendable, Codable, Equatable {
    /// Floating-point operations of a large matrix product, and of a Gram matrix, whose half counts.
    public let flopsPerSecond: Double, gramFlopsPerSecond: Double
    /// Bytes of a copy.
    public let bytesPerSecond: Double
    /// Measurements that these are the best of.
    private let measurements: Int

    /// Rates from their parts.
    public init(
        flopsPerSecond: Double, gramFlopsPerSecond: Double, bytesPerSecond: Double, measurements: Int = 1
    ) {
        (self.flopsPerSecond, self.gramFlopsPerSecond) = (flopsPerSecond, gramFlopsPerSecond)
        (self.bytesPerSecond, self.measurements) = (bytesPerSecond, measurements)
    }

    /// Operations of a product that take as long as reading or writing one element, to the nearest power of two: what
    /// decides between ways to compute must not change with the noise of a measurement.
    public func balance(_ precision: Precision) -> Double {
        exp2(log2(flopsPerSecond / bytesPerSecond * Double(precision.bytes)).rounded())
    }

    /// Seconds that work takes if all rates are reached.
    public func seconds(flops: Double, gramFlops: Double = 0, bytes: Double) -> Double {
        flops / flopsPerSecond + gramFlops / gramFlopsPerSecond + bytes / bytesPerSecond
    }

    /// The rates of a device as they are kept on this machine. The first few calls measure and keep the best: one
    /// measurement alone may have met a busy machine.
    public static func known(_ backend: any Backend, _ precision: Precision) throws(BackendError)
        -> DeviceSpeed
    {
        let subject = "speed \(precision.rawValue) 2", device = backend.device
        let kept = DeviceNotes.read(subject, of: device).flatMap {
            try? JSONDecoder().decode(DeviceSpeed.self, from: Data($0))
        }
        if let kept, kept.measurements >= 4 { return kept }
        let best = try measured(backend, precision).best(with: kept)
        if let data = try? JSONEncoder().encode(best) { DeviceNotes.keep(Array(data), subject, of: device) }
        return best
    }

    /// The best of two measurements.
    func best(with other: DeviceSpeed?) -> DeviceSpeed {
        guard let other else { return self }
        return DeviceSpeed(
            flopsPerSecond: max(flopsPerSecond, other.flopsPerSecond),
            gramFlopsPerSecond: max(gramFlopsPerSecond, other.gramFlopsPerSecond),
            bytesPerSecond: max(bytesPerSecond, other.bytesPerSecond),
            measurements: measurements + other.measurements)
    }

    /// The rates of a device, in about a fifth of a second.
    public static func measured(_ backend: any Backend, _ precision: Precision) throws(BackendError)
        -> DeviceSpeed
    {
        let n = 768, k = 3072, count = 1 << 22
        let product = try backend.compile(
            .trace { t in [("c", t.input("a", [n, k]).matmul(t.input("b", [n, k]), transposeB: true))] },
            precision, sumsInOrder: true)
        let gram = try backend.compile(
            .trace { t in
                let a = t.input("a", [n, k])
                return [("c", a.matmul(a, transposeB: true))]
            }, precision, sumsInOrder: true)
        let copy = try backend.compile(.trace { t in [("y", t.input("x", [count]) * 2)] }, precision)
        let a = try backend.upload((0..<n * k).map { Double($0 % 7) - 3 }, precision)
        let b = try backend.upload((0..<n * k).map { Double($0 % 5) - 2 }, precision)
        let c = try backend.allocate(n * n, precision)
        let x = try backend.allocate(count, precision), y = try backend.allocate(count, precision)
        /// The least time of a few runs.
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
        let gramTime = try best { () throws(BackendError) in try gram.run(inputs: [a.all], outputs: [c.all]) }
        let copyTime = try best { () throws(BackendError) in try copy.run(inputs: [x.all], outputs: [y.all]) }
        return DeviceSpeed(
            flopsPerSecond: 2 * Double(n * n * k) / productTime,
            gramFlopsPerSecond: Double(n * (n + 1) * k) / gramTime,
            bytesPerSecond: Double(2 * count * precision.bytes) / copyTime)
    }
}
