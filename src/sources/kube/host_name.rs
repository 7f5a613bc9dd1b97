//! The name of the host.

/// Returns the host name that the kernel reports. In a pod, that is the name of the pod.
pub(super) fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "sluicegate".to_owned(), |name| name.trim().to_owned())
}
