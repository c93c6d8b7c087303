import Foundation

/// A file of timed events in Chrome's trace format, written while they happen.
///
/// Source of the format: "Trace Event Format", the Chromium project.
final class TraceFile {
    private let file: UnsafeMutablePointer<FILE>
    private let path: String
    private var isFirst = true
    private var origin: Double?
    private var threads: [String: Int] = [:]

    init(_ path: String) throws {
        guard let file = fopen(path, "w") else {
            throw BackendError(
                .device, "the trace \(path) cannot be written: \(String(cString: strerror(errno)))")
        }
        (self.file, self.path) = (file, path)
        fputs("{\"displayTimeUnit\": \"ms\", \"traceEvents\": [", file)
    }

    /// One step; every device is a thread of its own.
    func write(_ step: Profile.Entry, on device: String, start: Double, end: Double) {
        let origin = self.origin ?? start
        self.origin = origin
        let thread = threads[device] ?? threads.count
        if threads[device] == nil {
            threads[device] = thread
            event(
                "\"name\": \"thread_name\", \"ph\": \"M\", \"pid\": 1, \"tid\": \(thread), "
                    + "\"args\": {\"name\": \"\(device)\"}")
        }
        let (begin, duration) = ((start - origin) * 1e6, (end - start) * 1e6)
        event(
            "\"name\": \"\(step.label)\", \"ph\": \"X\", \"pid\": 1, \"tid\": \(thread), \"ts\": \(begin), "
                + "\"dur\": \(duration), \"args\": {\"flops\": \(step.flops), \"bytes\": \(step.bytes)}")
    }

    private func event(_ fields: String) {
        fputs((isFirst ? "\n{" : ",\n{") + fields + "}", file)
        isFirst = false
    }

    /// Completes the file.
    func finish() throws {
        fputs("\n]}\n", file)
        let isWritten = ferror(file) == 0
        guard fclose(file) == 0, isWritten else {
            throw BackendError(.device, "the trace \(path) cannot be written: is the disk full?")
        }
    }
}
