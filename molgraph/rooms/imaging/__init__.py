"""The room of images: X-ray, CT, MRI and other scans in, voxels with a place and a meaning out."""
