import CDigits

/// The handwritten digits that ship inside the program: 1,797 images of 8x8 pixels, ten classes.
///
/// E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository,
/// 1998, CC BY 4.0; the images of scikit-learn's `load_digits`, in its order.
public enum Digits {
    /// The images `[N, 1, 8, 8]`, single precision in [0, 1] (value/16), and labels of a split.
    ///
    /// Within each class, in original order, every fifth image (the 5th, 10th, ...) is for the test, the rest
    /// for training: 355 and 1,442 images.
    public static func dataset(split: Split) -> Dataset {
        var pixels: [Float] = []
        var labels: [Int] = []
        var seen = [Int](repeating: 0, count: 10)
        let bytes = bytes
        for start in stride(from: 0, to: bytes.count, by: recordSize) {
            let label = Int(bytes[start + recordSize - 1])
            seen[label] += 1
            guard (seen[label] % 5 == 0) == (split == .test) else { continue }
            labels.append(label)
            pixels += bytes[start..<start + recordSize - 1].map { Float($0) / 16 }
        }
        return Dataset(
            name: "digits", split: split.rawValue,
            inputs: NDArray(shape: [labels.count, 1, 8, 8], floats: pixels),
            labels: labels, classes: 10)
    }

    /// 64 pixels and the label.
    static let recordSize = 65

    /// The embedded records.
    static var bytes: [UInt8] {
        var count = 0
        let start = digits_bytes(&count)
        return Array(UnsafeBufferPointer(start: start, count: count))
    }
}
