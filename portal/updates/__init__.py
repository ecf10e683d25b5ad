"""Updates as planned work: requests, their windows and consents, remote sessions, steps per device, reports."""
