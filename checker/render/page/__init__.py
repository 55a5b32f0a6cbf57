"""One self-contained page about the memory of a spec's training steps: `tttdit memory --html`.

components       what a tensor is for: the layers of the stacked chart, and their colours
timeline         bytes over one step by component, thinned to columns that lose no peak
cells            what the peak consists of, as a treemap's rectangles
scale            ticks of an axis
elements         HTML and SVG as a tree, so that every text is escaped
timeline_figure  the stacked chart
settings_figure  bytes against recomputation, a point a setting
peak_figure      the treemap
document         the whole page; its style and script stand in page.css and page.js
"""
