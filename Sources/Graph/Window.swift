/// Geometry of a two-dimensional convolution, shared by `conv`, `dgrad` and `wgrad`.
public struct Window: Hashable, Sendable, CustomStringConvertible {
    /// Vertical and horizontal step.
    public var strideH: Int, strideW: Int
    /// Zeros added on each side, vertically and horizontally.
    public var paddingH: Int, paddingW: Int
    /// Number of independent groups of channels.
    public var groups: Int

    /// A window; strides are at least 1, paddings at least 0.
    public init(stride: (Int, Int) = (1, 1), padding: (Int, Int) = (0, 0), groups: Int = 1) {
        precondition(stride.0 > 0 && stride.1 > 0, "a stride is at least 1, found \(stride)")
        precondition(padding.0 >= 0 && padding.1 >= 0, "a padding is at least 0, found \(padding)")
        precondition(groups > 0, "a convolution has at least 1 group, found \(groups)")
        (strideH, strideW) = stride
        (paddingH, paddingW) = padding
        self.groups = groups
    }

    /// Rows and columns of the result for an image and a kernel of the given size.
    public func outputSize(height: Int, width: Int, kernelH: Int, kernelW: Int) -> (Int, Int) {
        (
            (height + 2 * paddingH - kernelH) / strideH + 1,
            (width + 2 * paddingW - kernelW) / strideW + 1
        )
    }

    /// A readable form such as `stride 2×2, padding 1×1`.
    public var description: String {
        var parts: [String] = []
        if (strideH, strideW) != (1, 1) { parts.append("stride \(strideH)×\(strideW)") }
        if (paddingH, paddingW) != (0, 0) { parts.append("padding \(paddingH)×\(paddingW)") }
        if groups != 1 { parts.append("groups \(groups)") }
        return parts.joined(separator: ", ")
    }
}
