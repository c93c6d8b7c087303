import Graph

/// `body(x) + shortcut(x)`; without a shortcut, `body(x) + x` (He et al. 2016).
///
/// Layer j of the body owns `j.weight`, layer j of the shortcut `shortcut.j.weight`, behind the block's own index.
public struct Residual: Layer {
    /// The name in model files.
    public static let name = "residual"

    let body: [any Layer], shortcut: [any Layer]

    /// Reads the layer's arguments.
    public init(_ arguments: inout LayerArguments) throws(ModelError) {
        body = try arguments.layers("body", isNeeded: true)
        shortcut = try arguments.layers("shortcut", isNeeded: false)
    }

    /// A block from its layers.
    public init(body: [any Layer], shortcut: [any Layer] = []) {
        (self.body, self.shortcut) = (body, shortcut)
    }

    /// The arguments, as `init` reads them.
    public var arguments: [(String, ArgumentValue)] {
        [("body", .layers(body))] + (shortcut.isEmpty ? [] : [("shortcut", .layers(shortcut))])
    }

    /// The layers inside.
    public var children: [(prefix: String, layers: [any Layer])] { [("", body), ("shortcut.", shortcut)] }

    /// Shape of one sample after the layer.
    public func output(of input: Shape) throws(ModelError) -> Shape {
        let left = try Network.shapes(body, input).last ?? input
        let right = try Network.shapes(shortcut, input).last ?? input
        guard left == right else {
            throw ModelError("residual: the body gives \(left), the shortcut \(right); they must agree")
        }
        return left
    }

    /// Traces the layer.
    public func apply(_ x: Tensor, _ scope: LayerScope) -> Tensor {
        scope.apply(body, prefix: "", to: x) + scope.apply(shortcut, prefix: "shortcut.", to: x)
    }
}
