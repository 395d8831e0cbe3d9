/* assets: puts the files of page/ into the program, unchanged. page.c serves them. */
    .section .rodata.assets, "a"

    .macro asset name, file
    .global asset_\name, asset_\name\()_end
    .hidden asset_\name, asset_\name\()_end
asset_\name:
    .incbin "\file"
asset_\name\()_end:
    .endm

    asset html, "lib/gateway/page/index.html"
    asset css, "lib/gateway/page/page.css"
    asset js, "lib/gateway/page/page.js"

    .section .note.GNU-stack, "", %progbits
