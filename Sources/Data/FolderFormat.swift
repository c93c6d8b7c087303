/// The kinds of data folder, recognised by the names of the files in them; tried in this order.
enum FolderFormat: CaseIterable {
    case idx
    case cifar10
    case cifar100
    case arrays

    /// What the folder holds; nil if it is none of these. Throws if it cannot be listed.
    static func recognise(_ folder: String) throws(DataError) -> FolderFormat? {
        for format in allCases where try format.matches(folder) { return format }
        return nil
    }

    private func matches(_ folder: String) throws(DataError) -> Bool {
        switch self {
        case .idx: try IDX.isFormat(of: folder)
        case .cifar10: try CIFAR.cifar10.isFormat(of: folder)
        case .cifar100: try CIFAR.cifar100.isFormat(of: folder)
        case .arrays: try ArrayFolder.isFormat(of: folder)
        }
    }

    /// The samples of a split of such a folder.
    func samples(folder: String, split: Split) throws(DataError) -> RawSamples {
        switch self {
        case .idx: try IDX.samples(folder: folder, split: split)
        case .cifar10: try CIFAR.cifar10.samples(folder: folder, split: split)
        case .cifar100: try CIFAR.cifar100.samples(folder: folder, split: split)
        case .arrays: try ArrayFolder.samples(folder: folder, split: split)
        }
    }

    /// The files that make a folder a data folder, for error messages.
    static let expectation =
        "MNIST-like IDX files (train-images-idx3-ubyte.gz), CIFAR binaries (data_batch_1.bin, train.bin)"
        + " or NumPy files (x.npy and y.npy, train_x.npy and train_y.npy, train.npz)"
}
