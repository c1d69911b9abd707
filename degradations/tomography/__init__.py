"""Computed tomography on a pixel grid: fan- and parallel-beam projection and filtered back-projection (FBP).

`scanning` is a whole scan: `projection`, then `back_projection`, or both at once for `parallel_beams`. `geometry` knows
angles and distances, `symmetries` which views are computed together.

Geometry
--------
Lengths are in pixels. The rotation axis is the centre of the image. At view angle `b`
the source stands at `-D e_Y` and a flat detector at `+D e_Y`, with `e_X = (cos b, sin b)` and `e_Y =
(-sin b, cos b)` in (column, row) directions; `D` is the source distance and, by symmetry, the detector
distance. Detector cell `k` of `K` is seen at the axis at `u = k - (K - 1) / 2`: one pixel apart there,
two pixels apart on the detector. A ray is the straight line from the source through `u e_X`. In the
parallel geometry (`source_distance=None`) all rays run along `e_Y`.

Projection is Joseph's method: along the axis that a ray follows more closely, one linear interpolation in
each row (or column) crossed, times the length of the ray in that row. Back-projection is pixel-driven with
linear interpolation on the detector and, in the fan, weight `D / (D + Y)`: the weight to the first power
and no cosine weight, which the benchmark's published images show (an exact fan-beam FBP squares it and
weights the data by the cosine; for a fan of half-angle 27 degrees the difference is a slow shading).

Speed
-----
The symmetries of the square carry every view angle into [0, 45] degrees, so up to eight views (rotated and
mirrored copies of the image; of one that is not square, those of the same height) share one ray table; four
of them are interpolated at once as the channels of one image. Of an image that is not square, rays are
followed only where they cross it, so that time goes with its pixels. The weighted back-projection of a view
is a homography of a two-column table (detector cell, weight), hence one `warpPerspective`. One stack of
copies is held at a time, and large images are back-projected one copy after the other, which takes less than
half the memory. Nothing is cached but the frequency response of `parallel_fbp`.

References
----------
P. M. Joseph, "An improved algorithm for reprojecting rays through pixel images", IEEE TMI 1(3), 1982.
A. C. Kak and M. Slaney, "Principles of Computerized Tomographic Imaging", IEEE Press 1988, chapter 3.
"""
