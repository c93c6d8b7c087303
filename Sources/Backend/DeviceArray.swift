import Planner

/// Memory on a device. Each backend has its own subclass; memory is freed with the last reference.
open class DeviceArray {
    /// Number of elements.
    public let count: Int
    /// Format of the elements.
    public let precision: Precision

    /// For subclasses.
    public init(count: Int, precision: Precision) { (self.count, self.precision) = (count, precision) }

    /// All elements.
    public var all: DeviceSlice { DeviceSlice(self, 0..<count) }

    /// A stretch of elements.
    public subscript(range: Range<Int>) -> DeviceSlice { DeviceSlice(self, range) }
}

/// A stretch of elements of a device array.
public struct DeviceSlice {
    /// The array.
    public let array: DeviceArray
    /// Its elements in the slice.
    public let range: Range<Int>

    /// A stretch that lies inside the array.
    public init(_ array: DeviceArray, _ range: Range<Int>) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= array.count,
            "elements \(range) of an array of \(array.count)")
        (self.array, self.range) = (array, range)
    }

    /// Number of elements.
    public var count: Int { range.count }

    /// A stretch of this slice, counted from its start.
    public subscript(part: Range<Int>) -> DeviceSlice {
        DeviceSlice(array, range.lowerBound + part.lowerBound..<range.lowerBound + part.upperBound)
    }

    func overlaps(_ other: DeviceSlice) -> Bool { array === other.array && range.overlaps(other.range) }
}
