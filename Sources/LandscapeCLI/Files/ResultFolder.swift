import Data
import Foundation

/// A folder for the results of a command that may write there again.
struct ResultFolder {
    let path: String
    /// Files of an earlier run of the command that this run may not write.
    private let old: [String]

    /// Makes the folder and sees whether it can be written to, before minutes are spent.
    ///
    /// Every run of the command writes `mark`. Where it is missing, files of the command's names are somebody else's:
    /// they stay, and those that this run `replaces` are told.
    init(_ path: String, of command: String, mark: String, replaces: [String], optional: [String]) throws {
        self.path = path
        try makeFolder(path)
        try checkWritable("\(path)/\(mark)")
        func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }
        old = exists(mark) ? optional.filter(exists) : []
        let foreign = exists(mark) ? [] : replaces.filter(exists)
        if !foreign.isEmpty {
            Console.note(
                "\(path): replacing \(foreign.joined(separator: ", ")), which `landscape \(command)` did not write"
            )
        }
    }

    /// Removes what an earlier run has left and this one has not written.
    func removeOld(except written: [String]) throws {
        for name in old where !written.contains(name) {
            if unlink("\(path)/\(name)") != 0, errno != ENOENT {
                throw CommandError(
                    "\(path)/\(name): a file of an earlier run cannot be removed: \(String(cString: strerror(errno)))"
                )
            }
        }
    }
}
