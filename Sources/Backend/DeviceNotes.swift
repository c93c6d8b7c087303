/// Small facts about a device that are kept between processes, beside built programs.
public enum DeviceNotes {
    /// What is known of a subject; nil if nothing is kept, or what was kept is damaged.
    public static func read(_ subject: String, of device: DeviceInfo) -> [UInt8]? {
        ProgramFolder.standard?.read(name(subject, device))
    }

    /// Keeps what is known of a subject, if there is a folder for it.
    public static func keep(_ contents: [UInt8], _ subject: String, of device: DeviceInfo) {
        ProgramFolder.standard?.write(contents, name(subject, device))
    }

    private static func name(_ subject: String, _ device: DeviceInfo) -> String {
        StableHash.of([subject, device.platform, device.name, device.driver, "\(device.computeUnits)"])
            + ".note"
    }
}
