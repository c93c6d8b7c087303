import Graph

/// Networks by name, for samples and classes that the data decide.
public enum Builders {
    /// Names that `build` knows.
    public static let names = ["mlp", "cnn", "lenet", "resnet20", "resnet20-no-bn"]

    /// A network by name, or nil for an unknown name; throws if it does not fit the samples.
    public static func build(_ name: String, input: Shape, classes: Int) throws(ModelError) -> Network? {
        switch name {
        case "mlp": try mlp(input: input, classes: classes)
        case "cnn": try cnn(input: input, classes: classes)
        case "lenet": try lenet(input: input, classes: classes)
        case "resnet20": try resnet20(input: input, classes: classes)
        case "resnet20-no-bn": try resnet20(input: input, classes: classes, hasBatchNorm: false)
        default: nil
        }
    }

    /// Dense layers with ReLU between them.
    public static func mlp(input: Shape, widths: [Int] = [128, 128], classes: Int) throws(ModelError)
        -> Network
    {
        let hidden = widths.flatMap { [Dense(units: $0), ReLU()] as [any Layer] }
        let flatten: [any Layer] = input.rank == 1 ? [] : [Flatten()]
        return try Network(input: input, layers: flatten + hidden + [Dense(units: classes)])
    }

    /// Three convolutions, two of them with stride 2, and a dense layer.
    public static func cnn(
        input: Shape, widths: (Int, Int, Int) = (16, 32, 32), classes: Int
    ) throws(ModelError) -> Network {
        try Network(
            input: input,
            layers: [
                Conv(filters: widths.0, kernel: 3, padding: 1), ReLU(),
                Conv(filters: widths.1, kernel: 3, stride: 2, padding: 1), ReLU(),
                Conv(filters: widths.2, kernel: 3, stride: 2, padding: 1), ReLU(),
                Flatten(), Dense(units: classes),
            ])
    }

    /// LeNet-5 with ReLU and max pooling, for images of at least 16×16 (LeCun et al. 1998).
    public static func lenet(input: Shape, classes: Int) throws(ModelError) -> Network {
        try Network(
            input: input,
            layers: [
                Conv(filters: 6, kernel: 5, padding: 2), ReLU(), MaxPool(2),
                Conv(filters: 16, kernel: 5), ReLU(), MaxPool(2),
                Flatten(), Dense(units: 120), ReLU(), Dense(units: 84), ReLU(), Dense(units: classes),
            ])
    }

    /// ResNet-20 for small images, with shortcuts without parameters (He et al. 2016, section 4.2).
    ///
    /// Without batch normalisation every convolution has a bias, and the last one of each block starts smaller,
    /// so that blocks begin close to the identity (Zhang et al. 2019).
    public static func resnet20(
        input: Shape, classes: Int, hasBatchNorm: Bool = true
    ) throws(ModelError) -> Network {
        let he = 2.0.squareRoot()
        let blocksPerStage = 3
        func conv(_ filters: Int, stride: Int = 1, gain: Double = 1) -> [any Layer] {
            let layer = Conv(
                filters: filters, kernel: 3, stride: stride, padding: 1, hasBias: !hasBatchNorm,
                weightStd: he * gain)
            return hasBatchNorm ? [layer, BatchNorm()] : [layer]
        }
        var layers = conv(16) + [ReLU()]
        for (stage, width) in [16, 32, 64].enumerated() {
            for block in 0..<blocksPerStage {
                let isNarrowing = stage > 0 && block == 0
                let gain = hasBatchNorm ? 1 : 1 / Double(3 * blocksPerStage).squareRoot()
                layers.append(
                    Residual(
                        body: conv(width, stride: isNarrowing ? 2 : 1) + [ReLU()] + conv(width, gain: gain),
                        shortcut: isNarrowing ? [Subsample(stride: 2, channels: width)] : []))
                layers.append(ReLU())
            }
        }
        return try Network(input: input, layers: layers + [GlobalAveragePool(), Dense(units: classes)])
    }
}
