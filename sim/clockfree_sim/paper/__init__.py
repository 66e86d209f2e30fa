"""The paper's figures, and ours: `clockfree paper NAME`.

A figure is one module in `figures`; its name is the module's, and writing the module is all there is to adding one.
Such a module has five functions:

``measure(pool, quick, seed) -> xarray.Dataset``
    Runs everything, in the ``concurrent.futures`` executor `pool`, by `work.gather`. All that is random comes from
    `seed`; every variable has named dimensions, ``units`` and ``long_name``, and the seeds stand among the coordinates.
    `quick` is the same with so few seeds that it takes seconds: what the tests run.
``draw(data) -> matplotlib.figure.Figure``
    From the data alone, with the number of seeds and what an interval means stated in the figure.
``table(data) -> rich.table.Table``
    What was found, in a few lines.
``caption(data) -> str``
    What was run, and where it disagrees with the paper; numbers in it come from the data.
``must_show(data) -> dict of str to bool``
    What is expected to be seen, in words, and whether it was; empty where nothing is.

`save` writes them to NAME.nc, NAME.png and NAME.txt.
"""
